"""Commands that a declaration adds to those that every entity has."""

from collections.abc import Sequence
from typing import Any

import pytest

from treering.entity import Created, Deleted, Entity, EntityState, Update, Updated
from treering.errors import InvalidBody, IsDeleted, NotFound, Refusal
from treering.message import Command, Event, Received
from treering.testing import of


class Run(Entity):
    name: str
    steps: int = 0
    done: bool = False


class Finish(Command, type="run.finish.v1"):
    steps: int


class IsDone(Refusal, word="is-done", title="Is done"):
    """A run ends once."""


@Run.command(Finish)
def finish(state: EntityState, received: Received[Finish]) -> Sequence[Event]:
    if state.fields["done"]:
        raise IsDone(f"{received.stream} is done.")
    return [Updated(fields={"done": True, "steps": received.command.steps})]


class Grow(Command, type="run.grow.v1"):
    by: Any


@Run.command(Grow)
def grow(_state: EntityState, received: Received[Grow]) -> Sequence[Event]:
    return [Updated(fields={"steps": received.command.by}), Deleted()]


given = of(Run)
LIVE: dict[str, Any] = {"tags": [], "name": "one", "steps": 0, "done": False}


def test_it_decides_on_the_entity() -> None:
    found = given(Created(fields=LIVE)).when(Finish(steps=3))
    found.then(Updated(fields={"done": True, "steps": 3}))


def test_it_may_refuse() -> None:
    given(Created(fields={**LIVE, "done": True})).when(Finish(steps=3)).refuses(IsDone)


def test_it_needs_an_entity_that_lives() -> None:
    given().when(Finish(steps=3)).refuses(NotFound)
    given(Created(fields=LIVE), Deleted()).when(Finish(steps=3)).refuses(IsDeleted)


def test_what_it_sets_must_fit_the_model_and_is_stored_as_it_is_understood() -> None:
    live = given(Created(fields=LIVE))
    live.when(Grow(by="7")).then(Updated(fields={"steps": 7}), Deleted())
    live.when(Grow(by="far")).refuses(InvalidBody, "steps")


def test_it_belongs_to_the_kind() -> None:
    names = [each.name for each in Run.decider().command_types]
    assert names[-2:] == ["run.finish.v1", "run.grow.v1"]
    assert Run.declaration.commands == {Finish: finish, Grow: grow}


@pytest.mark.parametrize("steps", [1, 2])
def test_the_others_are_there_too(steps: int) -> None:
    found = given(Created(fields=LIVE)).when(Update(fields={"steps": steps}))
    found.then(Updated(fields={"steps": steps}))
