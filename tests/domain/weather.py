"""The entities of these tests."""

from datetime import date
from typing import Annotated, Any

from pydantic import Field

from treering.entity import Entity
from treering.testing import of


class Dataset(Entity, unique={"name"}, searchable={"name"}, sortable={"name", "rows"}):
    name: str = Field(min_length=1)
    rows: int = Field(default=0, ge=0)
    source: str | None = None
    area: dict[str, float] = Field(default_factory=dict)
    day: date | None = None


class Station(Entity, unique=[("country", "code"), "name"], frees_keys=True):
    country: str
    code: int
    name: str | None = None
    height: Annotated[float, Field(ge=-500)] = 0


RAIN: dict[str, Any] = {
    "tags": [],
    "name": "rain",
    "rows": 0,
    "source": None,
    "area": {},
    "day": None,
}
"""A dataset with its defaults, as events hold it."""

given = of(Dataset)
