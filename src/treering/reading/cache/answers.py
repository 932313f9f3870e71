"""Answers to questions about read models: kept ones while they hold, else those of the database."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from treering import metrics
from treering.message import Position
from treering.projection.build import Build
from treering.projection.declaration import Projection
from treering.reading.cache.entry import Entry
from treering.reading.cache.options import Cache
from treering.reading.progress import Progress

_FORM = 1
"""Grows when answers are written otherwise: releases side by side share a cache."""

type Ask = Callable[[], Awaitable[list[Any]]]


class Answers:
    """Keeps what was asked of *projections* in *cache*, for as long as *progress* allows."""

    def __init__(self, cache: Cache, progress: Progress, projections: Sequence[Projection]) -> None:
        self._cache = cache
        self._progress = progress
        self._seconds: Mapping[str, float] = {
            each.name: cache.seconds if each.cache is None else each.cache for each in projections
        }
        self._hearing = 0

    async def close(self) -> None:
        """Give back what it holds."""
        self._cache.memory.clear()
        if self._cache.shared is not None:
            await self._cache.shared.close()

    async def rows(self, build: Build, question: object, row: str | None, ask: Ask) -> list[Any]:
        """Return the answer to *question*, which is about the row of that key or about many.

        *ask* has it from the database; what it returns is kept if it is of *build*.
        """
        seconds, standing = self._seconds[build.name], self._progress.standing(build, row)
        if not seconds or standing is None:
            metrics.cache_reads.labels(build.name, "passed").inc()
            return await ask()
        if standing.hearing != self._hearing:
            self._hearing = standing.hearing
            self._cache.memory.clear()
        address = repr((_FORM, standing.epoch, self._progress.mark(build.name), question))
        if (kept := await self._kept(address, standing.since, seconds)) is not None:
            metrics.cache_reads.labels(build.name, "hit").inc()
            return kept.rows
        metrics.cache_reads.labels(build.name, "miss").inc()
        entry = Entry.of(standing.position, await ask())
        if entry.rows and self._progress.stands(build, standing):
            await self._keep(address, entry, seconds)
        return entry.rows

    async def _kept(self, address: str, since: Position, seconds: float) -> Entry | None:
        """Return an entry that holds, from here or from what is shared."""
        found, shared = self._cache.memory.get(address), self._cache.shared
        if found is not None and found.position >= since:
            return found
        if shared is None or (found := await shared.get(address)) is None:
            return None
        if found.position < since:
            return None
        self._cache.memory.put(address, found, seconds)
        return found

    async def _keep(self, address: str, entry: Entry, seconds: float) -> None:
        """Keep *entry* wherever no newer one is."""
        kept = self._cache.memory.put(address, entry, seconds)
        if self._cache.shared is not None:
            kept = await self._cache.shared.put(address, entry, seconds)
        if not kept:
            metrics.cache_refused.inc()
