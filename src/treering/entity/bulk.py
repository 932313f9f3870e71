"""Several entities of one kind in one command: all of it is done, or nothing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from treering import ulid
from treering.decider import Ids
from treering.entity.messages import Bulk, Create, Delete, Fields, Update
from treering.entity.naming import ID, ID_IN_WORDS
from treering.entity.rules import EntityState
from treering.entity.validation import MOST_FAULTS, fault, invalid
from treering.errors import BulkRefused, Problem, Refusal
from treering.message import Command, Event, Received, Stream

MOST = 1000
"""Items of one command."""


class _Rules(Protocol):
    def decide(self, state: EntityState, received: Received[Any]) -> Sequence[Event]: ...


class _Item(msgspec.Struct, frozen=True):
    """One of the items: what it asks of which stream, or why that can not be told."""

    word: str
    place: int
    stream: Stream
    command: Command
    wrong: Refusal | None = None


class Together:
    """The rules of one kind, by which a `Bulk` is about many streams and all else about one."""

    def __init__(self, kind: str, ids: Ids, rules: _Rules) -> None:
        self._kind = kind
        self._ids = ids
        self._rules = rules

    def concerns(self, received: Received[Any]) -> Sequence[Stream]:
        """Return the streams of a bulk's items."""
        if not isinstance(received.command, Bulk) or _count(received.command) > MOST:
            return ()
        return [each.stream for each in self._items(received) if each.wrong is None]

    def decide(
        self, states: Mapping[Stream, EntityState], received: Received[Any]
    ) -> Mapping[Stream, Sequence[Event]]:
        """Return what follows from the command; see `treering.decider.Decider`."""
        if not isinstance(received.command, Bulk):
            return {received.stream: self._rules.decide(states[received.stream], received)}
        if (count := _count(received.command)) > MOST:
            said = f"A bulk has at most {MOST} items, not {count}; send several"
            raise invalid([fault((), "too_long", said)])
        found: dict[Stream, Sequence[Event]] = {}
        refused: list[Mapping[str, Any]] = []
        for item in self._items(received):
            try:
                if item.stream in found:
                    said = f"{item.stream} is named twice; say all of it at once"
                    raise invalid([fault(("id",), "said_twice", said)])
                found[item.stream] = self._decided(states, received, item)
            except Refusal as refusal:
                problem = refusal.problem()
                refused.append({"in": item.word, "index": item.place, "problem": problem})
        if refused:
            raise _refusal(refused)
        return found

    def _decided(
        self, states: Mapping[Stream, EntityState], received: Received[Any], item: _Item
    ) -> Sequence[Event]:
        if item.wrong is not None:
            raise item.wrong
        said = msgspec.structs.replace(received, stream=item.stream, command=item.command)
        return self._rules.decide(states[item.stream], said)

    def _items(self, received: Received[Bulk]) -> Iterator[_Item]:
        said = received.command
        for place, fields in enumerate(said.create):
            chosen = fields.get("id")
            if chosen is None:
                chosen = ulid.derive(received.now, received.id, str(place))
            yield self._item("create", place, chosen, Create(fields=_rest(fields)))
        for place, fields in enumerate(said.update):
            yield self._item("update", place, fields.get("id"), Update(fields=_rest(fields)))
        for place, named in enumerate(said.delete):
            yield self._item("delete", place, named, Delete())

    def _item(self, word: str, place: int, said: object, command: Command) -> _Item:
        text = said if isinstance(said, str) else ""
        is_ulid = self._ids == "ulid"
        named = ulid.normal(text) if is_ulid else text if ID.fullmatch(text) else None
        if named is not None:
            return _Item(word, place, f"{self._kind}/{named}", command)
        form = "a ULID" if is_ulid else ID_IN_WORDS
        wrong = invalid([fault(("id",), "id_format", f"Is {form}", said)])
        return _Item(word, place, f"{word} {place}", command, wrong)


def _rest(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if name != "id"}


def _count(command: Bulk) -> int:
    return len(command.create) + len(command.update) + len(command.delete)


def _refusal(refused: Sequence[Mapping[str, Any]]) -> Refusal:
    """Return why nothing was done: the first items that would not be, and how many there are."""
    first = refused[0]
    problem: Problem = first["problem"]
    more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
    detail = f"Nothing was done. {first['in']} {first['index']}: {problem['detail']}{more}"
    found = {each["problem"]["status"] for each in refused}
    status = found.pop() if len(found) == 1 else BulkRefused.status
    return BulkRefused(detail, status=status, errors=refused[:MOST_FAULTS])
