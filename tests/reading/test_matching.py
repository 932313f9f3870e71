"""In memory any condition holds for the rows for which the plain reference says it does."""

import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.projection.world import THINGS
from tests.reading import reference
from tests.reading.questions import Question, questions
from tests.reading.test_asking import ROWS, asked_as, things
from treering.query import FilterSpec, conditions_on, matching, values_of
from treering.query.patterns import like

WORDS = THINGS.shape.words
AS_JSON: list[Mapping[str, Any]] = [
    {"id": f"{number:03}"} | fields for number, fields in enumerate(things())
]
"""The same rows as JSON has them: days and moments are texts."""


@settings(max_examples=2000)
@given(question=questions(), is_json=st.booleans())
def test_what_matches_is_what_the_reference_finds(question: Question, *, is_json: bool) -> None:
    filters = asked_as(question).filters
    matches = matching(filters, WORDS)
    found = [row["id"] for row in (AS_JSON if is_json else ROWS) if matches(row)]
    assert found == reference.found(ROWS, question.filters, [])


@settings(max_examples=500)
@given(question=questions())
def test_an_equality_that_always_holds_names_the_values_of_all_that_match(
    question: Question,
) -> None:
    filters = asked_as(question).filters
    matches = matching(filters, WORDS)
    named = {each.field: values_of(each) for each in conditions_on(filters)}
    rows = [row for row in ROWS if matches(row)]
    for field in [name for name, values in named.items() if values and "." not in name]:
        spec = FilterSpec(field, "in", named[field])
        assert all(matching([spec], WORDS)(row) for row in rows)


@settings(max_examples=1000)
@given(pattern=st.text("ab%_\\", max_size=8), text=st.text("ab%\\", max_size=8))
def test_a_pattern_is_what_the_reference_has(pattern: str, text: str) -> None:
    pattern = pattern.rstrip("\\")
    assert like(pattern)(text) is reference.like(text, pattern)


def test_no_pattern_takes_long() -> None:
    began = time.perf_counter()
    assert not like("%a" * 50 + "b")("a" * 10_000)
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    ("value", "said", "holds"),
    [
        ([1, [2, 3]], [[2]], True),
        ([1, 2], 1, True),
        (1, [1], False),
        ({"a": [1]}, {"a": 1}, False),
        ("rainfall", "inf", True),
        (["rainfall"], "inf", False),
        (True, 1, False),
    ],
)
def test_json_holds_json(*, value: Any, said: Any, holds: bool) -> None:
    matches = matching([FilterSpec("data", "contains", said)], WORDS)
    assert matches({"data": value}) is holds
