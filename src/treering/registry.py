"""All kinds of streams of a service, and the types of their messages by name."""

from collections.abc import Iterable, Mapping
from typing import Any

from treering.decider import Decider
from treering.errors import DeclarationError, UnknownMessage, UpcastFailed
from treering.message import (
    Erased,
    Event,
    Message,
    MessageType,
    Recorded,
    Stored,
    Stream,
    kind_of,
)  # fmt: skip
from treering.rulebook import Rulebook
from treering.upcast import older

_ERASED = Erased()


class Registry:
    """What this process knows: kinds, commands, events."""

    def __init__(self, deciders: Iterable[Decider[Any]]) -> None:
        self.deciders: dict[str, Decider[Any]] = {}
        self.commands: dict[str, MessageType[Any]] = {}
        self.events: dict[str, MessageType[Any]] = {}
        """The types of today; `older` holds those that are still read."""
        self.older: dict[str, MessageType[Any]] = {}
        self._types: dict[tuple[str, type[Message]], MessageType[Any]] = {}
        for decider in deciders:
            self._add(decider)
        self.rulebook = Rulebook(self.deciders)

    def _add(self, decider: Decider[Any]) -> None:
        if decider.kind in self.deciders:
            raise DeclarationError(
                f"Two kinds are {decider.kind!r}; give yours another `kind` (api-key, config and "
                "projection are treering's own)."
            )
        self.deciders[decider.kind] = decider
        for each in decider.command_types:
            _put(self.commands, each)
        for each in decider.event_types:
            _put(self.events, each)
        now = [*decider.command_types, *decider.event_types]
        self._types |= {(decider.kind, each.body): each for each in now}
        self.older |= older({each.name: each for each in now}, decider.upcasts)

    def command(self, name: str) -> MessageType[Any] | None:
        """Return the type of commands called *name*, of today or older; None if there is none."""
        return self.commands.get(name) or self._older(name, self.commands)

    def event(self, name: str) -> MessageType[Any] | None:
        """Return the type of events called *name*, of today or older; None if there is none."""
        return self.events.get(name) or self._older(name, self.events)

    def creates(self, kind: MessageType[Any]) -> bool:
        """Say whether commands of this type may come without a subject."""
        name = kind.now or kind.name
        return name in self.deciders[name.partition(".")[0]].creates

    def decider_of(self, stream: Stream) -> Decider[Any]:
        """Return the rules of *stream*; raises UnknownMessage if its kind is not known."""
        try:
            return self.deciders[kind_of(stream)]
        except KeyError:
            raise UnknownMessage(
                f"{stream}: this service has no kind {kind_of(stream)!r}."
            ) from None

    def type_of(self, stream: Stream, message: Message) -> MessageType[Any]:
        """Return the type under which *message* is stored in *stream*, or sent to it."""
        try:
            return self._types[kind_of(stream), type(message)]
        except KeyError:
            raise DeclarationError(
                f"{type(message).__name__} is no message of {kind_of(stream)!r}; add it to its "
                "`events` or `commands`."
            ) from None

    def recorded(self, stored: Stored) -> Recorded[Any]:
        """Return *stored* with its body read; raises UnknownMessage if it is too new for us."""
        return Recorded(
            position=stored.position,
            stream=stored.stream,
            version=stored.version,
            id=stored.id,
            type=stored.type,
            event=self._event(stored),
            time=stored.time,
            recorded_at=stored.recorded_at,
            tenant=stored.tenant,
            actor=stored.actor,
            correlation=stored.correlation,
            causation=stored.causation,
            traceparent=stored.traceparent,
        )

    def _event(self, stored: Stored) -> Event:
        if not stored.body:
            return _ERASED
        known = self.event(stored.type)
        if known is None:
            raise UnknownMessage(
                f"Position {stored.position} holds {stored.type!r}, which this release does not "
                "know: it is older than the log; run the newer one."
            )
        try:
            return known.decode(stored.body)
        except UpcastFailed as error:
            where = f"Position {stored.position}, of {stored.stream}"
            raise UpcastFailed(f"{where}: {error}") from error

    def _older(self, name: str, types: Mapping[str, MessageType[Any]]) -> MessageType[Any] | None:
        found = self.older.get(name)
        return found if found is not None and found.now in types else None


def _put(types: dict[str, MessageType[Any]], each: MessageType[Any]) -> None:
    if each.name in types:
        raise DeclarationError(f"Two messages are called {each.name!r}.")
    types[each.name] = each
