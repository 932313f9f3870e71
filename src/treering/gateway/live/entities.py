"""Entities of one kind as they change: each event is folded once, for all who watch them."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import msgspec

from treering.errors import Refusal, StoreError, TreeringError, UnknownMessage
from treering.gateway.http.problem import DatabaseAway, Internal, ReleaseTooOld, TooSlow
from treering.gateway.live.tail import Tail
from treering.gateway.live.told import WORDS, Told
from treering.gateway.live.wish import wish_for
from treering.message import Position, Stored, Stream, Version, id_of
from treering.query import FilterSpec, Matches, Row
from treering.registry import Registry
from treering.store import Reader

type Word = Literal["added", "changed", "removed"]

_DELETED = "deleted_at"
_KEPT = 10_000
"""States of entities that are not folded anew."""
_WAITING = 50_000
"""Events that may wait to be folded."""
_PAGE = 1000
_encode = msgspec.json.Encoder().encode


class Watcher(Protocol):
    """One who watches the entities that match."""

    matches: Matches

    def see(self, position: Position, change: bytes) -> None:
        """Take in a change, as the members of a JSON object; never waits."""
        ...

    def finish(self, why: Refusal) -> None:
        """Take in that no more will be seen."""
        ...


@dataclass(frozen=True, slots=True)
class _Sides:
    """What there was to see of an entity before an event and after it."""

    before: Row | None
    after: Row | None
    is_known: bool
    """Whether it is known what there was before; nobody can tell what was erased."""


@dataclass(slots=True)
class _States:
    """The newest states, by stream."""

    kept: OrderedDict[Stream, tuple[Version, Any]] = field(
        default_factory=OrderedDict[Stream, tuple[Version, Any]]
    )

    def put(self, stream: Stream, version: Version, state: Any) -> None:
        """Keep it, and let the one go that was used longest ago."""
        self.kept[stream] = version, state
        self.kept.move_to_end(stream)
        if len(self.kept) > _KEPT:
            self.kept.popitem(last=False)

    def get(self, stream: Stream, version: Version) -> Any | None:
        """Return the state at *version* in a list; None if it is not kept."""
        found = self.kept.get(stream)
        return [found[1]] if found is not None and found[0] == version else None


class Entities:
    """Tells watchers which entities of a *kind* come to match, change, or match no longer.

    It follows the tail while anybody watches.
    """

    def __init__(self, kind: str, tail: Tail, reader: Reader, registry: Registry) -> None:
        self._tail = tail
        self._reader = reader
        self._registry = registry
        self._decider = registry.deciders[kind]
        self._wish = wish_for([FilterSpec("kind", "eq", kind)], WORDS)
        self._watchers: dict[Watcher, None] = {}
        self._waiting: asyncio.Queue[Told] = asyncio.Queue()
        self._states = _States()
        self._folding: asyncio.Task[None] | None = None

    def join(self, watcher: Watcher) -> Position:
        """Let *watcher* see what changes; it sees all that follows the position, and more."""
        self._watchers[watcher] = None
        if self._folding is None:
            self._tail.join(self._wish, self, self._tail.position)
            self._folding = asyncio.create_task(self._fold_all(), name="live entities")
        return self._tail.position

    def leave(self, watcher: Watcher) -> None:
        """Let it see no more."""
        self._watchers.pop(watcher, None)
        if not self._watchers:
            self._rest()

    def tell(self, told: Told) -> None:
        """Take in an event."""
        self._waiting.put_nowait(told)
        if self._waiting.qsize() > _WAITING:
            self.finish(TooSlow("More happens here than can be followed; subscribe again later."))

    def finish(self, why: Refusal) -> None:
        """Take in that no more will be told."""
        watchers, self._watchers = self._watchers, {}
        self._rest()
        for watcher in watchers:
            watcher.finish(why)

    def _rest(self) -> None:
        """Follow the tail no longer."""
        self._tail.leave(self)
        if self._folding is not None:
            self._folding.cancel()
            self._folding = None
        self._waiting = asyncio.Queue()
        self._states = _States()

    async def _fold_all(self) -> None:
        try:
            while True:
                await self._show(await self._waiting.get())
        except StoreError:
            self.finish(DatabaseAway("PostgreSQL does not answer; subscribe again."))
        except UnknownMessage as error:
            self.finish(ReleaseTooOld(str(error)))
        except TreeringError as error:
            self.finish(Internal(str(error)))

    async def _show(self, told: Told) -> None:
        sides = await self._sides(told.stored)
        made: dict[Word, bytes] = {}
        for watcher in [*self._watchers]:
            if (word := _word(watcher.matches, sides)) is None:
                continue
            if word not in made:
                made[word] = _change(word, told, sides.after)
            watcher.see(told.position, made[word])

    async def _sides(self, stored: Stored) -> _Sides:
        stream = stored.stream
        kept = self._states.get(stream, stored.version - 1)
        state = kept[0] if kept else await self._state(stream, stored.version - 1)
        before = self._seen(stream, state)
        recorded = self._registry.recorded(stored)
        state = self._decider.fold(state, [recorded])
        self._states.put(stream, stored.version, state)
        known = self._registry.event(stored.type)
        erases = not stored.body or (known is not None and known.body.erases)
        return _Sides(before, self._seen(stream, state), not erases)

    async def _state(self, stream: Stream, version: Version) -> Any:
        """Return the state at *version*, from the store."""
        state, last = self._decider.initial, 0
        while last < version:
            page = await self._reader.read_stream(
                stream, after=last, upto=min(version, last + _PAGE)
            )
            if not page:
                break
            state = self._decider.fold(state, [self._registry.recorded(each) for each in page])
            last = page[-1].version
        return state

    def _seen(self, stream: Stream, state: Any) -> Mapping[str, Any] | None:
        shown = self._decider.represent(stream, state)
        return None if shown is None or shown.get(_DELETED) is not None else shown


def _word(matches: Matches, sides: _Sides) -> Word | None:
    """Return what has become of the entity, for one whom only those concern which match."""
    was = sides.before is not None and matches(sides.before)
    if sides.after is not None and matches(sides.after):
        return "changed" if was else "added"
    return "removed" if was or not sides.is_known else None


def _change(word: Word, told: Told, after: Row | None) -> bytes:
    shown = {"id": id_of(told.stored.stream)} if word == "removed" else after
    return b'"change":%s,"entity":%s,"event":%s' % (_encode(word), _encode(shown), told.json)
