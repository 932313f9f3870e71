"""Laws of all entities, whatever happened to them."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import given as given_any
from hypothesis import strategies as st

from tests.domain.weather import RAIN, Dataset, given
from treering.entity import (
    Create,
    Created,
    Delete,
    Deleted,
    Patch,
    Purge,
    Purged,
    Replace,
    Replaced,
    Restore,
    Restored,
    Tag,
    Tagged,
    Untag,
    Untagged,
    Update,
    Updated,
)  # fmt: skip
from treering.errors import Refusal
from treering.message import Command, Erased, Event, Message, Recorded
from treering.registry import Registry
from treering.testing.given import record

DECIDER = Dataset.decider()
REGISTRY = Registry([DECIDER])
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
VALUES = {
    "name": TEXT,
    "rows": st.integers(0, 2**63 - 1),
    "source": st.none() | TEXT,
    "area": st.dictionaries(TEXT, st.floats(allow_nan=False, allow_infinity=False)),
    "day": st.none() | st.dates().map(str),
}
SOME = st.fixed_dictionaries({}, optional=VALUES)
WHOLE = st.fixed_dictionaries(VALUES).map(lambda fields: {**RAIN, **fields})
TAGS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=3)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
ANYTHING = st.dictionaries(
    TEXT,
    st.recursive(
        st.none() | st.booleans() | NUMBERS | TEXT,
        lambda below: st.lists(below) | st.dictionaries(TEXT, below),
        max_leaves=5,
    ),
    max_size=3,
)
COMMANDS: st.SearchStrategy[Command] = st.one_of(
    *(st.builds(body, fields=SOME) for body in (Create, Update, Patch, Replace)),
    *(st.builds(body, tags=TAGS) for body in (Tag, Untag)),
    st.sampled_from([Delete(), Restore(), Purge()]),
)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(Created, fields=WHOLE),
    st.builds(Updated, fields=SOME),
    st.builds(Replaced, fields=WHOLE),
    st.builds(Tagged, tags=TAGS),
    st.builds(Untagged, tags=TAGS),
    st.sampled_from([Deleted(), Restored(), Purged()]),
)
MESSAGES: st.SearchStrategy[Message] = st.one_of(COMMANDS, EVENTS)


@given_any(st.lists(COMMANDS, max_size=30), st.integers(0, 10))
def test_folding_in_two_parts_is_folding_at_once(commands: list[Command], cut: int) -> None:
    all_of_it = record(REGISTRY, "dataset/1", lived(commands))
    first, second = all_of_it[:cut], all_of_it[cut:]
    at_once = DECIDER.fold(DECIDER.initial, all_of_it)
    assert DECIDER.fold(DECIDER.fold(DECIDER.initial, first), second) == at_once


@given_any(MESSAGES)
def test_what_is_encoded_is_decoded_as_it_was(message: Message) -> None:
    types = REGISTRY.commands if isinstance(message, Command) else REGISTRY.events
    kind = next(each for each in types.values() if each.body is type(message))
    assert kind.decode(kind.encode(message)) == message


@given_any(ANYTHING)
def test_whatever_json_can_say_survives_its_encoding(fields: dict[str, Any]) -> None:
    kind = REGISTRY.commands["dataset.create.v1"]
    assert kind.decode(kind.encode(Create(fields=fields))) == Create(fields=fields)


@given_any(st.lists(COMMANDS, max_size=30))
def test_what_was_decided_can_be_written_read_and_folded_again(commands: list[Command]) -> None:
    events = lived(commands)
    written = record(REGISTRY, "dataset/1", events)
    read = record(REGISTRY, "dataset/1", [_through_json(each) for each in events])
    state = DECIDER.fold(DECIDER.initial, read)
    assert state == DECIDER.fold(DECIDER.initial, written)
    if state.status == "live":
        given(*events).when(Update(fields={})).nothing()


@given_any(st.lists(COMMANDS, max_size=30))
def test_a_command_that_was_accepted_changes_something(commands: list[Command]) -> None:
    events = lived(commands)
    states = [DECIDER.initial]
    for each in record(REGISTRY, "dataset/1", events):
        states.append(DECIDER.evolve(states[-1], each))
    gists = [(state.status, state.fields) for state in states]
    assert all(before != after for before, after in pairwise(gists))


@given_any(st.lists(EVENTS))
def test_erased_events_change_nothing(events: list[Event]) -> None:
    erased = [_erased(each) for each in record(REGISTRY, "dataset/1", events)]
    state = DECIDER.fold(DECIDER.initial, [*erased, *record(REGISTRY, "dataset/1", [Purged()])])
    assert (state.status, state.fields) == ("purged", {})


def test_an_event_that_says_nothing_changes_nothing() -> None:
    (created,) = record(REGISTRY, "dataset/1", [Created(fields=RAIN)])
    state = DECIDER.evolve(DECIDER.initial, created)
    assert DECIDER.evolve(state, _erased(created)) == state


def lived(commands: Sequence[Command]) -> list[Event]:
    """Return the events that follow from *commands*; refused ones leave none."""
    events: list[Event] = []
    for command in commands:
        outcome = given(*events).when(command).outcome
        if not isinstance(outcome, Refusal):
            events += outcome.get("dataset/1", ())
    return events


def _through_json(event: Event) -> Event:
    kind = REGISTRY.type_of("dataset/1", event)
    return kind.decode(kind.encode(event).decode())


def _erased(recorded: Recorded[Any]) -> Recorded[Any]:
    return msgspec.structs.replace(recorded, event=Erased())
