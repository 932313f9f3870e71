"""The keys that were issued, as this process knows them: a small copy, never far behind."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Iterator
from contextlib import asynccontextmanager

import structlog

from treering.domain.api_key import KIND, Key, api_key
from treering.message import Stream, Version
from treering.registry import Registry
from treering.sql import statement
from treering.store import Reader

_SECONDS = 0.4
"""Between two looks: a revoked key stops working everywhere within a second."""
_log = structlog.stdlib.get_logger(__name__)


class IssuedKeys:
    """Follows the streams of keys themselves, so that no read model that stopped lets anybody in.

    Made by `following`. While the database is away it knows what it knew: nothing can be revoked
    meanwhile.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._registry = Registry([api_key])
        self._looking = asyncio.Lock()
        self._was_any = False
        self._epoch = ""
        self._keys: dict[Stream, tuple[Version, Key]] = {}
        self._by_prefix: dict[str, list[tuple[Stream, Key]]] = {}
        self.watchers: list[Callable[[], None]] = []
        """Called after each look."""

    def __bool__(self) -> bool:
        """Say whether there ever was one; a store that was restored does not make that untrue."""
        return self._was_any

    def __iter__(self) -> Iterator[tuple[Stream, Key]]:
        """Yield all there ever were, by name."""
        return ((stream, key) for stream, (_, key) in sorted(self._keys.items()))

    def get(self, stream: Stream) -> Key | None:
        """Return the key of that name."""
        found = self._keys.get(stream)
        return found and found[1]

    def with_prefix(self, prefix: str) -> list[tuple[Stream, Key]]:
        """Return the keys that have it: one, as good as always."""
        return self._by_prefix.get(prefix, [])

    async def follow(self) -> None:
        """Look again and again, for ever."""
        while True:
            await asyncio.sleep(_SECONDS)
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - nobody would hear of revoked keys any more
                _log.warning("keys were not looked up; trying again", reason=repr(error))

    async def look(self) -> None:
        """Take in what has happened to keys since; raises StoreError if it cannot be known."""
        async with self._looking:
            await self._look()
        for each in self.watchers:
            each()

    async def _look(self) -> None:
        """Look; what was known holds until all of what is new is known."""
        rows = await self._reader.fetch(statement("kind_streams"), KIND)
        known = self._keys if rows[0]["epoch"] == self._epoch else {}
        now: dict[Stream, Version] = {
            row["stream"]: row["version"] for row in rows if row["stream"]
        }
        kept = {each: found for each, found in known.items() if now.get(each) == found[0]}
        if known is not self._keys or not kept.keys() == now.keys() == known.keys():
            behind = now.keys() - kept.keys()
            self._keys = kept | (await self._folded(behind) if behind else {})
            self._epoch = rows[0]["epoch"]
            self._was_any = self._was_any or bool(self._keys)
            self._sort()

    async def _folded(self, streams: Collection[Stream]) -> dict[Stream, tuple[Version, Key]]:
        """Return how *streams* stand; one that only a newer release understands lets nobody in."""
        found: dict[Stream, tuple[Version, Key]] = {}
        for stored in await self._reader.read_streams([(each, 0, None) for each in streams]):
            _, key = found.get(stored.stream, (0, api_key.initial))
            try:
                key = api_key.fold(key, [self._registry.recorded(stored)])
            except Exception as error:  # noqa: BLE001 - it is none that lets in, whatever it is
                _log.warning("a key can not be read", key=stored.stream, reason=repr(error))
                key = Key(status="revoked")
            found[stored.stream] = stored.version, key
        return found

    def _sort(self) -> None:
        self._by_prefix = {}
        for stream, key in self:
            self._by_prefix.setdefault(key.prefix, []).append((stream, key))


@asynccontextmanager
async def following(reader: Reader) -> AsyncGenerator[IssuedKeys]:
    """Yield the keys that were issued, known by now, and kept so."""
    keys = IssuedKeys(reader)
    await keys.look()
    task = asyncio.create_task(keys.follow(), name="keys")
    try:
        yield keys
    finally:
        task.cancel()
        await asyncio.wait({task})
