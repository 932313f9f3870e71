"""Databases that follow the primary: who of them is asked, and how far each is."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic

import structlog

from treering.errors import StoreError, StoreNotReady
from treering.message import Position
from treering.projection.build import Build
from treering.sql import statement
from treering.store import Reader

type Open = Callable[[], Awaitable[Reader]]

_AWAY = 5.0
"""Seconds for which one that failed is left out."""
_PATIENCE = 0.1
"""Seconds for which one is waited for that is not as far as it has to be."""
_LOOKING = 0.01
"""Seconds between two looks: LISTEN is refused on a replica."""
_log = structlog.stdlib.get_logger(__name__)


class Replicas:
    """Those that *opening* opens, asked in turn; the *primary*, where none of them will do.

    One that can not be opened is tried again and again, so that a gateway starts without it.
    """

    def __init__(self, primary: Reader, opening: Sequence[Open]) -> None:
        self._primary = primary
        self._opening = opening
        self._there: list[_Replica] = []
        self._turn = 0
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Open them, as soon as each can be."""
        self._tasks = [asyncio.create_task(self._open(each)) for each in self._opening]

    async def close(self) -> None:
        """Give the connections back."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for each in self._there:
            await each.reader.close()

    async def reader(self, build: Build, position: Position, *, waits: bool) -> Reader:
        """Return who shows *build* at *position* or later; a replica that is *waits* for it."""
        self._turn += 1
        there = [each for each in self._in_turn() if each.is_there()]
        for each in there:
            if await each.shows(build, position):
                return each.reader
        until = monotonic() + (_PATIENCE if waits else 0)
        while there and monotonic() < until:
            await asyncio.sleep(_LOOKING)
            if there[0].is_there() and await there[0].shows(build, position):
                return there[0].reader
        return self._primary

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._there)

    def leave_out(self, reader: Reader) -> None:
        """Do not ask *reader* for a while: it failed."""
        for each in self._there:
            if each.reader is reader:
                each.leave_out()

    def _in_turn(self) -> "Sequence[_Replica]":
        first = self._turn % max(1, len(self._there))
        return [*self._there[first:], *self._there[:first]]

    async def _open(self, opening: Open) -> None:
        while True:
            try:
                self._there.append(_Replica(await opening()))
            except StoreError as error:
                _log.warning("a replica can not be opened", error=str(error))
                await asyncio.sleep(_AWAY)
            else:
                return


class _Replica:
    """One of them, and up to where it is known to show builds."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._away_until = 0.0
        self._known: dict[tuple[str, int], Position] = {}

    def is_there(self) -> bool:
        return monotonic() >= self._away_until

    def leave_out(self) -> None:
        _log.warning("a replica is left out for a while", seconds=_AWAY)
        self._away_until = monotonic() + _AWAY

    async def shows(self, build: Build, position: Position) -> bool:
        """Say whether it shows *build* at *position*; looks only if that is not known."""
        id_ = build.name, build.build
        if self._known.get(id_, 0) >= position:
            return True
        try:
            rows = await self.reader.fetch(statement("projection_at"), *id_)
        except StoreNotReady:  # it has no read models yet
            return False
        except StoreError:
            self.leave_out()
            return False
        for row in rows:
            self._known[id_] = max(self._known.get(id_, 0), row["position"])
        return self._known.get(id_, 0) >= position
