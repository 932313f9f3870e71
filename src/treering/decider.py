"""What a decider is: plain functions that say what follows from a command and what an event does.

Deciders are pure: no I/O, no clock, no random. Time and ids come in with the command.
"""

import re
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

_UNIQUE = re.compile(r"unique \S.*")
_REFERENCES = re.compile(r"references \S+ in \S.*")
_EXISTS = re.compile(r"exists \S.*")


def nothing(_state: object) -> Iterable[Any]:
    """Return the unique keys, or the references, of a kind that has none."""
    return ()


def live(state: Any) -> bool:
    """Say of an entity whether it is there, neither deleted nor purged: it needs no words."""
    return state.status == "live"


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
    keys: Callable[[S], Iterable[str]] = nothing
    """The unique keys that a stream in this state holds, `<kind>.…`; no two streams hold one."""
    references: Callable[[S], Iterable[tuple[str, Stream]]] = nothing
    """The fields that name other streams, and those streams: they have to be there, and stay."""
    rules: Sequence[str] = ()
    """What `keys`, `references` and `exists` say, in words: `unique name`, `references tank in
    tank`, `exists once it is laid`. They are stored; when the functions change so do the words, and
    `treering db upgrade` works out anew what the streams of this kind hold."""
    exists: Callable[[S], bool] | None = None
    """Whether a stream in this state can be referred to; unless given, from its first event on."""
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
        _require_words(self)

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


def _require_words(decider: Decider[Any]) -> None:
    """Refuse rules without a function, and functions without a rule."""
    said = {
        "keys": (_UNIQUE, decider.keys, "unique name"),
        "references": (_REFERENCES, decider.references, "references tank in tank"),
        "exists": (_EXISTS, decider.exists, "exists once it is laid"),
    }
    for rule in decider.rules:
        if not any(pattern.fullmatch(rule) for pattern, _, _ in said.values()):
            raise DeclarationError(
                f"{decider.kind!r}: {rule!r} is no rule; say 'unique name', 'references tank in "
                "tank' or 'exists once it is laid'."
            )
    for name, (pattern, function, example) in said.items():
        named = any(pattern.fullmatch(rule) for rule in decider.rules)
        given = function not in (nothing, live, None)
        if named and not given:
            raise DeclarationError(f"{decider.kind!r}: give the `{name}` that its rules speak of.")
        if given and not named:
            raise DeclarationError(
                f"{decider.kind!r}: say in `rules` what `{name}` means, such as {example!r}."
            )


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
