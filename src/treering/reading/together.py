"""Rows by their ids: what many ask for at once is found by one statement."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from treering.errors import BadRequest

_AT_ONCE = 2
"""Statements under way; who asks meanwhile waits for the next one, together with others."""
_MOST = 100
"""Ids of one statement."""

type Find[T] = Callable[[Sequence[str]], Awaitable[Mapping[str, T]]]


class Together[T]:
    """Finds rows by *find*: one that is asked for alone at once, others together.

    The more are asked for, the less each costs. A row is looked for after it was asked for.
    """

    def __init__(self, find: Find[T]) -> None:
        self._find = find
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._next: _Batch[T] | None = None

    async def get(self, id: str) -> T | None:
        """Return the row with that id, None if there is none."""
        if not self._slots.locked():
            async with self._slots:
                return (await self._find([id])).get(id)
        batch = self._next
        if batch is None or len(batch.ids) >= _MOST:
            batch = self._next = _Batch(self._found)
        batch.ids.add(id)
        try:
            return (await asyncio.shield(batch.found)).get(id)
        except BadRequest:  # which of them it is for, only each alone can tell
            return (await self._find([id])).get(id)

    async def _found(self, batch: "_Batch[T]") -> Mapping[str, T]:
        async with self._slots:
            if self._next is batch:
                self._next = None
            return await self._find([*batch.ids])


class _Batch[T]:
    """Ids that are asked for together, and what is found."""

    def __init__(self, found: Callable[["_Batch[T]"], Awaitable[Mapping[str, T]]]) -> None:
        self.ids: set[str] = set()
        self.found = asyncio.ensure_future(found(self))
