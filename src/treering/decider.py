"""What a decider is: plain functions that say what follows from a command and what an event does.

Deciders are pure: no I/O, no clock, no random. Time and ids come in with the command.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from treering.errors import DeclarationError, Refusal
from treering.message import (
    Command,
    Erased,
    Event,
    MessageType,
    Received,
    Recorded,
    Stream,
    message_type,
)
from treering.upcast import Upcast

type Decide[S] = Callable[[S, Received[Any]], Sequence[Event]]
"""From the state of one stream and a command to its events; none: nothing to do."""
type DecideMany = Callable[[Mapping[Stream, Any], Received[Any]], Mapping[Stream, Sequence[Event]]]
"""From the states of several streams and a command to the events of each."""
type Evolve[S] = Callable[[S, Recorded[Any]], S]
type Concerns = Callable[[Received[Any]], Sequence[Stream]]
type Representation = dict[str, Any]
type Ids = Literal["any", "ulid"]


def no_keys(_state: object) -> Iterable[str]:
    """Return the unique keys of a kind that has none."""
    return ()


def _unseen(_stream: Stream, _state: object) -> Representation | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider[S]:
    """The rules of one kind of stream.

    `decide` takes the state of the command's stream and the command; it returns the events that
    follow, none if there is nothing to do, and raises a `Refusal` if it may not be. With
    `concerns`, which names the streams a command is about, it takes and returns a mapping by
    stream, and all that it returns is stored or none. Streams may be of other kinds.
    """

    kind: str
    """Lower-case kebab; the first part of its streams."""
    initial: S
    decide: Decide[S] | DecideMany
    evolve: Evolve[S]
    commands: Sequence[type[Command] | MessageType[Any]] = ()
    events: Sequence[type[Event] | MessageType[Any]] = ()
    upcasts: Sequence[Upcast] = ()
    """How bodies of older types of commands and events are read."""
    concerns: Concerns | None = None
    keys: Callable[[S], Iterable[str]] = no_keys
    """The unique keys that a stream in this state holds; no two streams of a kind hold one."""
    represent: Callable[[Stream, S], Representation | None] = _unseen
    """What outcomes and HTTP show of a stream in this state; None: nothing (to see any more)."""
    ids: Ids = "any"
    creates: frozenset[str] = frozenset()
    """Types of commands that may come without a subject: they make a new stream."""

    def __post_init__(self) -> None:
        """Refuse words that could not travel."""
        types = [each.name for each in (*self.command_types, *self.event_types)]
        for name in (*types, *(each.old for each in self.upcasts)):
            if not name.startswith(f"{self.kind}."):
                message = f"{name!r} is a message of {self.kind!r}: start it with its kind."
                raise DeclarationError(message)

    @property
    def command_types(self) -> Sequence[MessageType[Any]]:
        """The types of commands that it takes."""
        return [
            each if isinstance(each, MessageType) else message_type(each) for each in self.commands
        ]

    @property
    def event_types(self) -> Sequence[MessageType[Any]]:
        """The types of events that its streams hold."""
        return [
            each if isinstance(each, MessageType) else message_type(each) for each in self.events
        ]

    def fold(self, state: S, events: Iterable[Recorded[Any]]) -> S:
        """Return the state after *events*; erased ones change nothing."""
        for event in events:
            if not isinstance(event.event, Erased):
                state = self.evolve(state, event)
        return state


def decided(
    decider: Decider[Any], states: Mapping[Stream, Any], received: Received[Any]
) -> Mapping[Stream, Sequence[Event]] | Refusal:
    """Return the events by stream that follow from *received*, or why it may not be."""
    try:
        if decider.concerns is None:
            decide = cast("Decide[Any]", decider.decide)
            events = decide(states[received.stream], received)
            return {received.stream: events} if events else {}
        decide_many = cast("DecideMany", decider.decide)
        return {
            stream: events for stream, events in decide_many(states, received).items() if events
        }
    except Refusal as refusal:
        return refusal
