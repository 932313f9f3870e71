"""The one look at the store's end that a process takes, for however many want to know."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from traceback import format_exception
from typing import cast

import structlog

from treering.errors import Refusal, StoreError
from treering.gateway.http.problem import OtherEpoch
from treering.gateway.live.board import Board, Member
from treering.gateway.live.memory import Memory
from treering.gateway.live.told import WORDS, Told
from treering.gateway.live.wish import Wish
from treering.gateway.positions import Epoch
from treering.message import Position, Stored
from treering.registry import Registry
from treering.store import Reader

_AGAIN = 0.5
"""Seconds until a lost database is asked again."""
_READERS = 2
"""Clients that are told of the past at the same time; it is read from the store."""
_PAGE = 1000
_log = structlog.get_logger("treering.gateway.live")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """How much is kept for clients."""

    memory_bytes: int = 16_000_000
    """Of the newest events; what is older is read from the store."""
    backlog_bytes: int = 4_000_000
    """That may wait to be sent to one client."""
    keep_alive_seconds: float = 15
    """After which a word is sent although there is none."""


class Tail:
    """Follows the store from when it is first asked to, and tells members what they want.

    While the database is away nothing is told, and what has happened then is told afterwards.
    """

    def __init__(
        self, reader: Reader, epoch: Epoch, registry: Registry, options: LiveOptions
    ) -> None:
        self._reader = reader
        self._known = epoch
        self._registry = registry
        self._options = options
        self._board = Board(WORDS)
        self._members: dict[Member, Wish] = {}
        self._memory = Memory(0, 0)
        self._following: asyncio.Task[None] | None = None
        self._beginning = asyncio.Lock()
        self._reading = asyncio.Semaphore(_READERS)
        self.epoch = ""
        self.ended: Refusal | None = None
        """Why nobody is told any more."""

    @property
    def position(self) -> Position:
        """Up to which event members have been told."""
        return self._memory.position

    async def begin(self) -> None:
        """Follow the store from now on; raises StoreError if it is away when it first is asked."""
        async with self._beginning:
            if self._following is None:
                await self._look()
                self._following = asyncio.create_task(self._follow(), name="live tail")

    async def now(self) -> Position:
        """Return where the store stands, so that nobody is told of what was before he asked."""
        return max((await self._known.head()).position, self.position)

    def end(self, why: Refusal) -> None:
        """Tell all members that nobody is told any more, and *why*; follow the store no longer."""
        self.ended = why
        for member in [*self._members]:
            member.finish(why)
        if self._following is not None:
            self._following.cancel()

    def join(self, wish: Wish, member: Member, after: Position) -> Sequence[Told] | None:
        """Tell *member* from now on, and return what it wants of what followed *after* until now.

        None, and nothing is told, if that is too long ago: read the `past` first.
        """
        missed = self._memory.since(after)
        if missed is None:
            return None
        self._members[member] = wish
        self._board.add(wish, member)
        return [told for told in missed if wish.matches(told.row)]

    def leave(self, member: Member) -> None:
        """Tell *member* no more."""
        if wish := self._members.pop(member, None):
            self._board.remove(wish, member)

    async def past(self, after: Position) -> Sequence[Told]:
        """Return a page of the events that follow *after*, from the store."""
        async with self._reading:
            events = await self._reader.read(after, limit=_PAGE)
        return [Told(stored, self.epoch) for stored in events]

    async def _look(self) -> None:
        """See where the store stands; after a restore members have to begin anew."""
        head = await self._known.head()
        if head.epoch == self.epoch and head.position >= self.position:
            return
        for member in [*self._members]:
            self.leave(member)
            member.finish(restored())
        self.epoch = head.epoch
        self._memory = Memory(head.position, self._options.memory_bytes)

    async def _follow(self) -> None:
        while True:
            try:
                await self._look()
                events = cast("AsyncGenerator[list[Stored]]", self._reader.tail(self.position))
                async with aclosing(events):
                    async for page in events:
                        await self._tell(page)
            except StoreError as error:
                _log.warning("the tail was lost", error=str(error), position=self.position)
            except Exception as error:  # noqa: BLE001 - nobody else would notice
                said = "".join(format_exception(error))
                _log.error("the tail failed", exception=said, position=self.position)
            await asyncio.sleep(_AGAIN)

    async def _tell(self, page: Sequence[Stored]) -> None:
        for place, stored in enumerate(page):
            self._forget(stored)
            told = Told(stored, self.epoch)
            self._memory.add(told)
            self._board.tell(told)
            if place % 100 == 99:
                await asyncio.sleep(0)

    def _forget(self, stored: Stored) -> None:
        """Forget what *stored* has erased; of one that only a newer release knows, nobody can say.

        Then all is forgotten, as the store has it.
        """
        kind = self._registry.event(stored.type)
        if kind is None:
            self._memory.clear()
        elif kind.body.erases:
            self._memory.erase(stored.stream)


def restored() -> Refusal:
    """Return why nobody is told of a store that is not the one it was."""
    return OtherEpoch("The store was restored from a backup; forget its positions, begin anew.")
