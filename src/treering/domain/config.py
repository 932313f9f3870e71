"""A config: a name, and data that a model reads."""

from typing import Any

from pydantic import Field

from treering.entity import Entity


class StoredConfig(
    Entity,
    kind="config",
    ids="ulid",
    searchable={"name"},
    sortable={"name"},
):
    """A named set of values for a model; names need not be unique."""

    name: str = Field(min_length=1, max_length=255)
    data: dict[str, Any] = Field(default_factory=dict)
