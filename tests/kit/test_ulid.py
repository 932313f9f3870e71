"""ULIDs: they sort by time, and what is derived is the same every time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treering import ulid

MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_a_new_one_is_of_this_moment_and_like_no_other() -> None:
    before = datetime.now(UTC)
    made = {ulid.new() for _ in range(1000)}
    after = datetime.now(UTC) + timedelta(milliseconds=1)
    assert len(made) == 1000
    assert ulid.first_of(before) <= min(made)
    assert max(made) < ulid.first_of(after)
    assert all(ulid.normal(each) == each for each in made)


@given(MOMENTS, MOMENTS, st.text(), st.text())
def test_they_sort_by_time(one: datetime, other: datetime, seed: str, salt: str) -> None:
    first, second = sorted([one, other])
    if second - first >= timedelta(milliseconds=1):
        assert ulid.derive(first, seed) < ulid.derive(second, salt)


@given(MOMENTS, st.text())
def test_the_first_of_a_moment_begins_its_range(moment: datetime, seed: str) -> None:
    first = ulid.first_of(moment)
    assert len(first) == 26
    assert first <= ulid.derive(moment, seed)
    assert ulid.derive(moment, seed)[:10] == first[:10]


def test_what_is_derived_depends_on_moment_and_seed_alone() -> None:
    made = ulid.derive(NOON, "a", "b")
    assert (
        made
        == ulid.derive(NOON, "a", "b")
        == ulid.derive(NOON + timedelta(microseconds=9), "a", "b")
    )
    assert made != ulid.derive(NOON, "ab")
    assert made != ulid.derive(NOON, "a", "c")
    assert made != ulid.derive(NOON + timedelta(milliseconds=1), "a", "b")


def test_the_encoding_is_that_of_all_ulids() -> None:
    moment = datetime.fromtimestamp(1_469_918_176.385, UTC)
    assert ulid.first_of(moment)[:10] == "01ARYZ6S41"


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("01ARYZ6S41TSV4RRFFQ69G5FAV", "01ARYZ6S41TSV4RRFFQ69G5FAV"),
        ("01aryz6s41tsv4rrffq69g5fav", "01ARYZ6S41TSV4RRFFQ69G5FAV"),
        ("01ARYZ6S41TSV4RRFFQ69G5FA", None),
        ("01ARYZ6S41TSV4RRFFQ69G5FAVX", None),
        ("81ARYZ6S41TSV4RRFFQ69G5FAV", None),
        ("01ARYZ6S41TSV4RRFFQ69G5FAU", None),
        ("", None),
    ],
)
def test_a_text_is_a_ulid_or_not(text: str, normal: str | None) -> None:
    assert ulid.normal(text) == normal
