"""What clients see of an entity, and which unique keys it holds."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.domain.weather import RAIN, Dataset, Station, given
from treering.entity import Created, Deleted, Entity, Purged, Restored, Updated, stamp
from treering.message import Event
from treering.testing import of

DATASET, STATION = Dataset.decider(), Station.decider()
PLACE: dict[str, Any] = {"tags": [], "country": "NO", "code": 7, "name": "Røst", "height": 3.0}


def keys(*events: Event) -> list[str]:
    """Return the unique keys that a station holds after *events*."""
    return list(STATION.keys(of(Station)(*events).state()))


def test_it_shows_id_times_and_fields_in_the_order_of_their_declaration() -> None:
    shown = DATASET.represent("dataset/1", given(Created(fields=RAIN)).state())
    at = "2026-01-01T12:00:01.000000Z"
    assert shown == {"id": "1", "created_at": at, "updated_at": at, **RAIN}
    assert list(shown or ()) == ["id", "created_at", "updated_at", *RAIN]


def test_a_change_moves_updated_at_alone() -> None:
    state = given(Created(fields=RAIN), Updated(fields={"rows": 2})).state()
    shown = DATASET.represent("dataset/1", state)
    assert shown is not None
    assert (shown["created_at"], shown["updated_at"], shown["rows"]) == (
        "2026-01-01T12:00:01.000000Z",
        "2026-01-01T12:00:02.000000Z",
        2,
    )


def test_a_deleted_one_says_when() -> None:
    shown = DATASET.represent("dataset/1", given(Created(fields=RAIN), Deleted()).state())
    assert shown is not None
    assert shown["deleted_at"] == shown["updated_at"] == "2026-01-01T12:00:02.000000Z"
    restored = given(Created(fields=RAIN), Deleted(), Restored()).state()
    assert "deleted_at" not in (DATASET.represent("dataset/1", restored) or {})


def test_there_is_nothing_to_see_of_what_is_not_there_or_was_purged() -> None:
    assert DATASET.represent("dataset/1", given().state()) is None
    assert DATASET.represent("dataset/1", given(Created(fields=RAIN), Purged()).state()) is None


def test_a_time_has_always_six_digits() -> None:
    assert stamp(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000000Z"
    assert stamp(datetime(2026, 1, 1, 0, 0, 0, 120, tzinfo=UTC)) == "2026-01-01T00:00:00.000120Z"


def test_a_live_entity_holds_its_keys() -> None:
    assert keys(Created(fields=PLACE)) == ['station.country+code=["NO",7]', 'station.name="Røst"']


def test_what_is_empty_is_no_key() -> None:
    assert keys(Created(fields={**PLACE, "name": None})) == ['station.country+code=["NO",7]']


def test_what_is_not_there_or_purged_holds_none() -> None:
    assert keys() == []
    assert keys(Created(fields=PLACE), Purged()) == []


def test_a_deleted_entity_keeps_its_keys_unless_its_kind_frees_them() -> None:
    assert keys(Created(fields=PLACE), Deleted()) == []
    deleted = given(Created(fields=RAIN), Deleted()).state()
    assert list(DATASET.keys(deleted)) == ['dataset.name="rain"']


def test_a_long_value_is_held_by_its_digest() -> None:
    (first,) = keys(Created(fields={**PLACE, "country": "x" * 600, "name": None}))
    (second,) = keys(Created(fields={**PLACE, "country": "x" * 601, "name": None}))
    assert len(first) < 100
    assert first != second


class Parcel(Entity, unique={"place"}):
    place: dict[str, Any]


@pytest.mark.parametrize("place", [{"a": 1, "b": 2}, {"b": 2, "a": 1}])
def test_the_order_of_members_makes_no_other_key(place: dict[str, int]) -> None:
    state = of(Parcel)(Created(fields={"tags": [], "place": place})).state()
    assert list(Parcel.decider().keys(state)) == ['parcel.place={"a":1,"b":2}']
