"""Faults: what they say, and what is near to what was meant."""

from typing import Any

import pytest

from tests.domain.weather import RAIN, given
from treering.domain.config import StoredConfig
from treering.entity import Create, Created, Update
from treering.entity.validation import nearest
from treering.errors import InvalidBody
from treering.testing import of

LIVE = given(Created(fields=RAIN))


def faults(fields: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the faults of an update."""
    return LIVE.when(Update(fields=fields)).refuses(InvalidBody).members["errors"]


def test_a_fault_says_where_what_and_why() -> None:
    assert faults({"rows": -1}) == [
        {
            "path": "rows",
            "loc": ["rows"],
            "type": "greater_than_equal",
            "msg": "Input should be greater than or equal to 0",
            "input": -1,
        }
    ]


def test_a_missing_field_is_said_without_an_input() -> None:
    refusal = given().when(Create(fields={})).refuses(InvalidBody, "name")
    assert refusal.detail == "name: Field required."
    assert refusal.members["errors"] == [
        {"path": "name", "loc": ["name"], "type": "missing", "msg": "Field required"}
    ]


def test_an_unknown_field_comes_with_what_was_probably_meant() -> None:
    (fault,) = faults({"sourse": "gauge"})
    assert fault["suggestion"] == "source"
    assert fault["msg"] == "Unknown field; did you mean 'source'?"


def test_an_unknown_field_like_no_other_comes_without_a_suggestion() -> None:
    (fault,) = faults({"zzz": 1})
    assert "suggestion" not in fault
    assert nearest("zzz", ["name"]) is None


def test_a_long_input_is_not_repeated() -> None:
    (fault,) = faults({"rows": "x" * 300})
    assert "input" not in fault


def test_of_very_many_faults_a_hundred_are_named() -> None:
    fields = {f"unknown{n}": n for n in range(50_000)}
    refusal = LIVE.when(Update(fields=fields)).refuses(InvalidBody)
    assert len(refusal.members["errors"]) == 100
    assert refusal.detail.endswith("(and 49999 more).")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"rows": 2**63}, "rows"),
        ({"rows": 2**70}, "rows"),
        ({"area": {"north": "nan"}}, "area.north"),
        ({"area": {"north": "inf", "south": 1}}, "area.north"),
    ],
)
def test_a_number_that_json_or_the_database_cannot_hold_is_a_fault(
    fields: dict[str, Any], path: str
) -> None:
    (fault,) = faults(fields)
    assert fault["path"] == path


@pytest.mark.parametrize("rows", [2**63 - 1, 0])
def test_64_bits_are_enough(rows: int) -> None:
    found = given(Created(fields={**RAIN, "rows": 1})).when(Update(fields={"rows": rows}))
    assert not isinstance(found.outcome, InvalidBody)


def test_what_is_nested_too_deep_is_refused() -> None:
    data: dict[str, Any] = {}
    for _ in range(400):
        data = {"deeper": data}
    refusal = of(StoredConfig)().when(Create(fields={"name": "deep", "data": data}))
    assert "cannot be written as JSON" in refusal.refuses(InvalidBody).detail
