"""Deleting, restoring and purging an entity."""

import pytest

from tests.domain.weather import RAIN, given
from treering.entity import (
    Create,
    Created,
    Delete,
    Deleted,
    Patch,
    Purge,
    Purged,
    Replace,
    Restore,
    Restored,
    Tag,
    Tagged,
    Untag,
    Update,
    Updated,
)  # fmt: skip
from treering.errors import IsDeleted, IsPurged, NotFound
from treering.message import Command

LIVE = (Created(fields=RAIN),)
DELETED = (*LIVE, Deleted())
PURGED = (*LIVE, Purged())
ANY = [
    Update(fields={"rows": 1}), Patch(fields={"rows": 1}), Replace(fields={"name": "rain"}),
    Tag(tags=["a"]), Untag(tags=["a"]), Delete(), Restore(), Purge(),
]  # fmt: skip


def test_a_live_entity_is_deleted() -> None:
    given(*LIVE).when(Delete()).then(Deleted())


def test_a_deleted_entity_is_restored() -> None:
    given(*DELETED).when(Restore()).then(Restored())


@pytest.mark.parametrize("events", [LIVE, DELETED, (*DELETED, Restored())])
def test_whatever_exists_is_purged(events: tuple[Created]) -> None:
    given(*events).when(Purge()).then(Purged())


def test_deleting_twice_and_restoring_twice_do_nothing() -> None:
    given(*DELETED).when(Delete()).nothing()
    given(*LIVE).when(Restore()).nothing()
    given(*DELETED, Restored()).when(Restore()).nothing()


@pytest.mark.parametrize("command", ANY[:5], ids=lambda each: type(each).__name__)
def test_a_deleted_entity_is_not_changed(command: Command) -> None:
    given(*DELETED).when(command).refuses(IsDeleted)


@pytest.mark.parametrize("command", ANY, ids=lambda each: type(each).__name__)
def test_a_purged_entity_stays_gone(command: Command) -> None:
    given(*PURGED).when(command).refuses(IsPurged)


@pytest.mark.parametrize("command", ANY, ids=lambda each: type(each).__name__)
def test_what_never_was_cannot_be_changed(command: Command) -> None:
    given().when(command).refuses(NotFound)


def test_a_restored_entity_is_as_it_was_and_changes_again() -> None:
    restored = given(*LIVE, Updated(fields={"rows": 3}), Deleted(), Restored())
    assert restored.state().fields == {**RAIN, "rows": 3}
    restored.when(Update(fields={"rows": 4})).then(Updated(fields={"rows": 4}))


def test_nothing_is_left_of_what_was_purged() -> None:
    state = given(*LIVE, Tagged(tags=["a"]), Purged()).state()
    assert (state.status, state.fields) == ("purged", {})


def test_an_entity_lives_once() -> None:
    given(*LIVE, Deleted(), Purged()).when(Create(fields={"name": "rain"})).refuses(IsPurged)
