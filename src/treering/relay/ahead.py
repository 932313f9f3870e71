"""Events read ahead, while those before them are being sent."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from typing import cast

from treering.message import Position, Stored
from treering.store import Reader
from treering.store.page import is_last

_READS = 2
"""Reads that may wait to be sent, beside one on its way in and one on its way out."""


class Ahead:
    """Reads what follows a position, for as long as it is open."""

    def __init__(self, store: Reader, after: Position, limit: int) -> None:
        self._limit = limit
        self._read: asyncio.Queue[list[Stored]] = asyncio.Queue(_READS)
        self._reading = asyncio.create_task(self._fill(store, after))
        self._getting = asyncio.create_task(self._read.get())

    @classmethod
    @asynccontextmanager
    async def open(cls, store: Reader, after: Position, *, limit: int) -> AsyncGenerator["Ahead"]:
        """Begin to read after *after*, up to *limit* events at once."""
        ahead = cls(store, after, limit)
        try:
            yield ahead
        finally:
            ahead._getting.cancel()
            ahead._reading.cancel()
            await asyncio.wait({ahead._getting, ahead._reading})

    async def take(self, seconds: float | None = None) -> list[Stored]:
        """Return what was read so far, at most two reads of it; none within *seconds*: nothing.

        A read that is full, of events or of bytes, comes alone. The longer a batch takes to be
        sent, the larger is the next one: nobody waits for a timer. Raises what the store raised.
        """
        either = {self._getting, self._reading}
        await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not self._getting.done():
            if self._reading.done():
                self._reading.result()
            return []
        events = self._getting.result()
        if is_last(events, self._limit) and not self._read.empty():
            events = events + self._read.get_nowait()
        self._getting = asyncio.create_task(self._read.get())
        return events

    async def _fill(self, store: Reader, after: Position) -> None:
        tail = cast("AsyncGenerator[list[Stored]]", store.tail(after, limit=self._limit))
        async with aclosing(tail) as following:
            async for events in following:
                await self._read.put(events)
