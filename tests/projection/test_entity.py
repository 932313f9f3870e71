"""The read model of entities: it holds what deciders know of them."""

from enum import StrEnum
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tests.projection.parcels import commands, told
from tests.projection.world import PARCELS, Parcel
from treering.domain.projection import Skipped
from treering.entity import (
    Create,
    Created,
    Delete,
    Entity,
    EntityState,
    Purge,
    Replace,
    Restore,
    Tag,
    Untag,
    Update,
    stamp,
)  # fmt: skip
from treering.errors import DeclarationError
from treering.message import Command, Erased, Recorded
from treering.projection import Projection

NOON = "2026-01-01T12:00:00+02:00"


class Level(StrEnum):
    low = "l"
    high = "h"


@given(st.lists(commands, max_size=12))
def test_its_rows_are_the_states_that_deciders_fold(said: list[Command]) -> None:
    recorded = told("parcel/1", said)
    assert [known(row) for row in PARCELS.rows(recorded)["parcels"]] == states(recorded)


@pytest.mark.parametrize("length", range(1, 9))
def test_its_row_is_the_state_at_every_step_of_a_life(length: int) -> None:
    life: list[Command] = [
        Create(fields={"name": "tea", "sent": NOON}),
        Tag(tags=["a", "b"]),
        Untag(tags=["a"]),
        Update(fields={"weight": 1.5}),
        Replace(fields={"name": "oil"}),
        Delete(),
        Restore(),
        Purge(),
    ]
    recorded = told("parcel/1", life[:length])
    assert len(recorded) == length
    assert [known(row) for row in PARCELS.rows(recorded)["parcels"]] == states(recorded)


def test_fields_that_are_not_declared_any_more_have_no_column() -> None:
    (recorded,) = told("parcel/1", [Create(fields={"name": "tea"})])
    older = structs.replace(recorded, event=Created(fields={"name": "tea", "colour": "red"}))
    (row,) = PARCELS.rows([older])["parcels"]
    assert (row["name"], row["pieces"], "colour" in row) == ("tea", None, False)


def test_an_event_that_no_entity_has_is_refused() -> None:
    (recorded,) = told("parcel/1", [Create(fields={"name": "tea"})])
    with pytest.raises(DeclarationError, match="is no event of an entity"):
        PARCELS.rows([structs.replace(recorded, event=Skipped(position=1))])


def test_events_of_other_kinds_and_erased_ones_change_nothing() -> None:
    (recorded,) = told("parcel/1", [Create(fields={"name": "tea"})])
    other = structs.replace(recorded, stream="letter/1")
    erased = structs.replace(recorded, event=Erased())
    assert PARCELS.rows([other, erased]) == {"parcels": []}


class Odd(Entity):
    choice: Literal["a", "b"] = "a"
    level: Level | None = None
    mixed: int | str = 1
    maybe: Literal["a", None] = None  # noqa: PYI061 - some write it so
    anything: Any = None


@pytest.mark.parametrize(
    ("field", "type_", "may_be_absent"),
    [
        ("choice", "TEXT", True),
        ("level", "TEXT", False),
        ("mixed", "JSON", True),
        ("maybe", "JSON", False),
        ("anything", "JSON", False),
    ],
)
def test_an_odd_field_has_one_too(field: str, type_: str, *, may_be_absent: bool) -> None:
    column = Projection.of(Odd).tables[0].columns[field]
    assert (str(column.type), bool(column.info.get("absent"))) == (type_, may_be_absent)


def states(recorded: list[Recorded[Any]]) -> list[dict[str, Any]]:
    state: EntityState = Parcel.decider().fold(EntityState(), recorded)
    if state.status in ("absent", "purged"):
        return []
    gone = state.updated_at if state.status == "deleted" else None
    at = {"created_at": state.created_at, "updated_at": state.updated_at, "deleted_at": gone}
    last = recorded[-1]
    versions = {"_version": last.version, "_position": last.position}
    return [{"id": "1", **versions, **at, **state.fields}]


def known(row: Any) -> dict[str, Any]:
    sent = None if row["sent"] is None else stamp(row["sent"])
    return {**row, "sent": sent}


@pytest.mark.parametrize(
    ("field", "type_", "may_be_absent"),
    [
        ("name", "TEXT", True),
        ("weight", "DOUBLE", False),
        ("pieces", "BIGINT", True),
        ("sent", "DATETIME", False),
        ("contents", "JSON", True),
        ("is_open", "BOOLEAN", True),
        ("tags", "JSONB", True),
    ],
)
def test_a_field_has_the_column_that_its_values_need(
    field: str, type_: str, *, may_be_absent: bool
) -> None:
    column = PARCELS.tables[0].columns[field]
    assert (str(column.type), bool(column.info.get("absent"))) == (type_, may_be_absent)
    assert column.nullable
