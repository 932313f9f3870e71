"""The registry: what this process knows, and what it says of the rest."""

from datetime import UTC, datetime

import pytest

from treering.decider import Decider
from treering.errors import DeclarationError, UnknownMessage
from treering.message import Command, Erased, Event, Stored
from treering.registry import Registry


class Open(Command, type="door.open.v1"):
    width: int


class Opened(Event, type="door.opened.v1"):
    width: int


class Closed(Event, type="door.closed.v1"):
    pass


def door(kind: str = "door", commands: tuple[type[Command], ...] = (Open,)) -> Decider[None]:
    """Return the rules of doors."""
    return Decider(
        kind=kind,
        initial=None,
        decide=lambda _state, _received: [],
        evolve=lambda state, _recorded: state,
        commands=commands,
        events=(Opened, Closed) if kind == "door" else (),
    )


def stored(type: str, body: str) -> Stored:
    """Return a row."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Stored(
        position=7, stream="door/front", version=2, id="e", type=type, body=body, time=at,
        recorded_at=at, tenant="default", actor="test", correlation="c", causation="d",
        traceparent=None,
    )  # fmt: skip


REGISTRY = Registry([door()])


def test_messages_are_known_by_their_type_names() -> None:
    assert list(REGISTRY.commands) == ["door.open.v1"]
    assert list(REGISTRY.events) == ["door.opened.v1", "door.closed.v1"]
    assert REGISTRY.type_of("door/front", Opened(width=1)).name == "door.opened.v1"


def test_a_row_is_read_with_all_that_surrounds_it() -> None:
    row = stored("door.opened.v1", '{"width":3}')
    recorded = REGISTRY.recorded(row)
    assert recorded.event == Opened(width=3)
    assert (recorded.position, recorded.stream, recorded.version) == (7, "door/front", 2)
    assert (recorded.causation, recorded.correlation, recorded.actor) == ("d", "c", "test")
    assert (recorded.id, recorded.time, recorded.recorded_at) == ("e", row.time, row.recorded_at)


def test_what_a_newer_release_added_to_an_event_is_passed_over() -> None:
    row = stored("door.opened.v1", '{"width":3,"colour":"red"}')
    assert REGISTRY.recorded(row).event == Opened(width=3)


def test_an_erased_body_is_an_erased_event_whatever_its_type() -> None:
    assert REGISTRY.recorded(stored("door.painted.v1", "")).event == Erased()


def test_an_unknown_event_means_that_this_release_is_older_than_the_log() -> None:
    with pytest.raises(UnknownMessage, match=r"Position 7 holds 'door\.painted\.v1'.*older"):
        REGISTRY.recorded(stored("door.painted.v1", "{}"))


def test_an_unknown_kind_is_said() -> None:
    assert REGISTRY.decider_of("door/front").kind == "door"
    with pytest.raises(UnknownMessage, match="window/1: this service has no kind 'window'"):
        REGISTRY.decider_of("window/1")


def test_an_event_of_another_kind_cannot_be_stored() -> None:
    with pytest.raises(DeclarationError, match="Opened is no message of 'window'"):
        REGISTRY.type_of("window/1", Opened(width=1))


def test_a_kind_is_declared_once() -> None:
    with pytest.raises(DeclarationError, match="Two kinds are 'door'"):
        Registry([door(), door(commands=())])


def test_a_message_is_declared_once() -> None:
    with pytest.raises(DeclarationError, match=r"Two messages are called 'door\.open\.v1'"):
        Registry([door(commands=(Open, Open))])
