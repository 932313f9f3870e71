"""Moments: stored as all clients read them, in UTC and with microseconds."""

from datetime import datetime
from typing import Annotated

import pytest
from pydantic import PlainSerializer

from treering.entity import Create, Created, Entity
from treering.errors import InvalidBody
from treering.testing import of


class Reading(Entity):
    taken: datetime
    day: Annotated[datetime, PlainSerializer(lambda at: at.strftime("%Y-%m-%d"))] | None = None


given = of(Reading)


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"),
        ("2026-01-02T03:04:05.12+02:00", "2026-01-02T01:04:05.120000Z"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05.000000Z"),
        (0, "1970-01-01T00:00:00.000000Z"),
    ],
)
def test_a_moment_is_stored_in_utc_with_six_digits(said: object, stored: str) -> None:
    made = Created(fields={"tags": [], "taken": stored, "day": None})
    given().when(Create(fields={"taken": said})).then(made)


def test_a_moment_that_utc_does_not_have_is_refused() -> None:
    create = Create(fields={"taken": "0001-01-01T00:00:00+10:00"})
    given().when(create).refuses(InvalidBody, "taken")


def test_a_model_that_writes_its_moments_otherwise_is_left_alone() -> None:
    moment = "2026-01-02T03:04:05.000000Z"
    made = Created(fields={"tags": [], "taken": moment, "day": "2026-01-02"})
    given().when(Create(fields={"taken": moment, "day": moment})).then(made)
