"""Rules that a project adds: they hold whatever the command, and whoever sends it."""

from collections.abc import Sequence
from typing import Any

import pytest

from treering.entity import (
    Bulk,
    Create,
    Created,
    Delete,
    Deleted,
    Entity,
    EntityState,
    Update,
    Updated,
)  # fmt: skip
from treering.errors import BulkRefused, DeclarationError, Refusal
from treering.message import Command, Event, Received
from treering.testing import of


class Tank(Entity):
    litres: int
    is_locked: bool = False


class Shrinks(Refusal, word="shrinks", title="Would lose"):
    """It never holds less."""


class IsLocked(Refusal, word="is-locked", title="Is locked"):
    """It stays."""


class Drain(Command, type="tank.drain.v1"):
    """Take all of it."""


@Tank.command(Drain)
def drain(_state: EntityState, _received: Received[Drain]) -> Sequence[Event]:
    return [Updated(fields={"litres": 0})]


@Tank.rule
def never_less(before: EntityState, after: EntityState, received: Received[Any]) -> None:
    if before.fields and after.fields["litres"] < before.fields["litres"]:
        raise Shrinks(f"{received.stream} would lose some.")


@Tank.rule
def stays(before: EntityState, after: EntityState, received: Received[Any]) -> None:
    if after.status == "deleted" and before.fields["is_locked"]:
        raise IsLocked(f"{received.stream} is locked.")


given = of(Tank)
FULL = Created(fields={"tags": [], "litres": 5, "is_locked": True})


@pytest.mark.parametrize("command", [Update(fields={"litres": 4}), Drain()])
def test_a_rule_holds_for_every_command(command: Command) -> None:
    given(FULL).when(command).refuses(Shrinks)


def test_a_rule_sees_what_would_become_of_it() -> None:
    given(FULL).when(Delete()).refuses(IsLocked)
    given(FULL, Updated(fields={"is_locked": False})).when(Delete()).then(Deleted())


def test_what_no_rule_forbids_is_done() -> None:
    given(FULL).when(Update(fields={"litres": 6})).then(Updated(fields={"litres": 6}))
    given().when(Create(fields={"litres": 1})).then(
        Created(fields={"tags": [], "litres": 1, "is_locked": False})
    )


def test_a_rule_holds_for_each_of_many() -> None:
    refusal = given(FULL).when(Bulk(delete=["1"])).refuses(BulkRefused)
    assert refusal.members["errors"][0]["problem"]["type"].endswith("is-locked")


def test_only_what_there_is_can_be_served() -> None:
    with pytest.raises(DeclarationError, match="served names 'reed'; say some of create, delete"):
        type("Wrong", (Entity,), {"__annotations__": {}}, served={"reed"})
