"""Deciders: plain functions of one kind of stream."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from treering.decider import Decider, decided
from treering.errors import DeclarationError, Refusal
from treering.message import Command, Erased, Event, Received, Stream, message_type
from treering.registry import Registry
from treering.testing import of
from treering.testing.given import record


class Add(Command, type="sum.add.v1"):
    number: int
    to: Stream | None = None


class Added(Event, type="sum.added.v1"):
    number: int


class TooMuch(Refusal, word="too-much", title="Too much", status=422):
    """Sums stay under a hundred."""


def _decide(state: int, received: Received[Add]) -> Sequence[Event]:
    if state + received.command.number > 99:
        raise TooMuch("It would be a hundred.", sum=state)
    return [Added(number=received.command.number)] if received.command.number else []


def _decide_many(
    states: Mapping[Stream, int], received: Received[Add]
) -> Mapping[Stream, Sequence[Event]]:
    return {stream: _decide(state, received) for stream, state in states.items()}


def _concerns(received: Received[Add]) -> Sequence[Stream]:
    return [received.command.to] if received.command.to else []


SUM: Decider[int] = Decider(
    kind="sum",
    initial=0,
    decide=_decide,
    evolve=lambda state, recorded: state + recorded.event.number,
    commands=[Add],
    events=[Added],
)
SUMS: Decider[int] = Decider(
    kind="sum",
    initial=0,
    decide=_decide_many,
    evolve=SUM.evolve,
    commands=[message_type(Add)],
    events=[message_type(Added)],
    concerns=_concerns,
)
given = of(SUM)


def test_events_follow_from_a_command() -> None:
    given().when(Add(number=3)).then(Added(number=3))


def test_there_may_be_nothing_to_do() -> None:
    given().when(Add(number=0)).nothing()


def test_it_may_refuse() -> None:
    refusal = given(Added(number=99)).when(Add(number=1)).refuses(TooMuch)
    assert refusal.problem() == {
        "type": "urn:treering:error:too-much",
        "title": "Too much",
        "status": 422,
        "detail": "It would be a hundred.",
        "sum": 99,
    }


def test_with_concerns_it_decides_on_several_streams() -> None:
    several = of(SUMS, stream="sum/a")
    found = several(("sum/b", Added(number=5))).when(Add(number=3, to="sum/b"))
    found.then(Added(number=3), ("sum/b", Added(number=3)))
    several().when(Add(number=0, to="sum/b")).nothing()
    several(("sum/b", Added(number=99))).when(Add(number=3, to="sum/b")).refuses(TooMuch)


def test_a_fold_passes_over_what_was_erased() -> None:
    first, second = record(Registry([SUM]), "sum/1", [Added(number=1), Added(number=2)])
    erased = msgspec.structs.replace(first, event=Erased())
    assert SUM.fold(SUM.initial, [first, second]) == 3
    assert SUM.fold(SUM.initial, [erased, second]) == 2


def test_a_kind_without_more_has_no_keys_and_shows_nothing() -> None:
    assert list(SUM.keys(3)) == []
    assert SUM.represent("sum/1", 3) is None
    assert (SUM.ids, SUM.creates) == ("any", frozenset())


def test_its_messages_begin_with_its_kind() -> None:
    with pytest.raises(DeclarationError, match="start it with its kind"):
        Decider(kind="total", initial=0, decide=_decide, evolve=SUM.evolve, commands=[Add])
    with pytest.raises(DeclarationError, match="start it with its kind"):
        Decider(kind="total", initial=0, decide=_decide, evolve=SUM.evolve, events=[Added])


def _held(_state: int) -> list[Any]:
    return []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"rules": ["unique"]}, "'unique' is no rule"),
        ({"rules": ["references tank"]}, "'references tank' is no rule"),
        ({"rules": ["unique name"]}, "give the `keys` that its rules speak of"),
        ({"rules": ["references tank in tank"]}, "give the `references` that"),
        ({"rules": ["exists above zero"]}, "give the `exists` that"),
        ({"keys": _held}, "say in `rules` what `keys` means, such as 'unique name'"),
        ({"references": _held}, "say in `rules` what `references` means"),
        ({"exists": bool}, "say in `rules` what `exists` means"),
    ],
)
def test_rules_and_what_they_speak_of_come_together(words: dict[str, Any], said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        Decider(kind="sum", initial=0, decide=_decide, evolve=SUM.evolve, **words)


def test_what_is_no_refusal_is_an_error_of_the_rules() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    received: Received[Any] = Received(
        id="c", type="sum.add.v1", stream="sum/1", command=Add(number=1), now=now, time=now,
        correlation="c",
    )  # fmt: skip
    with pytest.raises(TypeError):
        decided(SUM, {"sum/1": None}, received)
