"""Read models that move on together: they share the reading, and one transaction a batch.

The transaction holds what a batch comes to and the positions; so a read model is the fold of the
events up to its position, whenever a process dies.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import asyncpg
import msgspec

from treering import metrics
from treering.errors import (
    BadRequest,
    StoreNotReady,
    StoreUnavailable,
    UnknownMessage,
    UpcastFailed,
)
from treering.message import Position, Stored, kind_of
from treering.points import reached
from treering.projection.follower import Follower, Mark, skips_of
from treering.projection.ground import Ground
from treering.projection.telling import channel_of, told
from treering.sql import statement
from treering.store.connecting import translated
from treering.store.page import is_last, size

CHUNK = 2000
"""Events read at once."""
_MOST = 100_000
"""Events of one transaction."""
_MOST_BYTES = 16_000_000
"""Of their bodies, about: what they come to waits in memory, and is sent before time is over."""
_MOST_ROWS = 200_000
"""Rows that are copied at once into a build that is empty."""
_MOST_COPIED = 64_000_000
"""Bytes of the bodies that they come from, about."""
_TURN = 0.02
"""Seconds of folding before others of this process have their turn."""
_STEP = 1.0
"""Seconds of folding after which it is written."""
_COPY = 10.0
"""The same for builds that are empty."""
_LONGEST_PAYLOAD = 7900

type Notify = Callable[[], Awaitable[None]]


class Pack:
    """Followers that share *connection*, which nobody else uses."""

    def __init__(
        self,
        ground: Ground,
        connection: asyncpg.Connection,
        followers: Iterable[Follower] = (),
    ) -> None:
        self.followers = list(followers)
        self.stopped: list[Follower] = []
        """Those that met an event they can not fold, for whoever steps to take away."""
        self.outcasts: list[Follower] = []
        """Those that the database refuses, to be looked at alone."""
        self._ground = ground
        self._connection = connection
        self._limit = _MOST
        self._bytes = 0
        """Of events that were read and are not written."""
        self._seconds = 0.0
        """For which they were folded."""
        self._upto: Position | None = None
        """Where to stop although there is more."""

    @property
    def connection(self) -> asyncpg.Connection:
        """What it writes with."""
        return self._connection

    async def reach(self, position: Position, notice: Notify | None = None) -> None:
        """Fold and write all events up to *position* and none after it; call *notice* meanwhile."""
        self._upto = position
        try:
            while not await self.step():
                if notice is not None:
                    await notice()
        finally:
            self._upto = None

    async def step(self) -> bool:
        """Fold what comes next, write it once that is enough; say whether there is no more.

        Raises StoreUnavailable if the database is away or somebody else moves a build as well.
        """
        if not self.followers:
            return True
        chunk = min(CHUNK, self._limit)
        after = min(follower.reached.position for follower in self.followers)
        if self._upto is not None:
            chunk = min(chunk, max(0, self._upto - after))
        stored = await self._ground.reader.read(after, limit=chunk) if chunk else []
        folded = stored[: await self._fold(stored)]
        self._bytes += size(folded)
        is_whole = len(folded) == len(stored)
        has_all = is_whole and (is_last(stored, chunk) or self._is_there(after + len(stored)))
        if has_all or self._is_enough():
            return await self._write() and has_all
        return False

    async def look_for_skips(self) -> None:
        """Pass over what an operator has had passed over since they began."""
        for each in self.followers:
            each.skips = await skips_of(self._ground.reader, self._ground.registry, each.name)

    def _is_there(self, position: Position) -> bool:
        return self._upto is not None and position >= self._upto

    def _is_enough(self) -> bool:
        """Say whether to write now; what is copied into empty tables had better be much."""
        followers = self.followers
        if any(each.failure for each in followers):
            return True
        if self._limit == _MOST and all(each.written.position == 0 for each in followers):
            rows = sum(each.rows for each in followers)
            return rows >= _MOST_ROWS or self._bytes >= _MOST_COPIED or self._seconds >= _COPY
        if self._bytes >= _MOST_BYTES or self._seconds >= _STEP:
            return True
        written = min(each.written.position for each in followers)
        return min(each.reached.position for each in followers) - written >= self._limit

    async def _fold(self, stored: Sequence[Stored]) -> int:
        """Fold for a second at most; return how many of *stored* were."""
        wanting = self._wanting()
        folded, spent, turn = 0, 0.0, time.perf_counter()
        for each in stored:
            if followers := wanting.get(kind_of(each.stream)):
                self._fold_one(each, followers)
            folded += 1
            if time.perf_counter() - turn >= _TURN:
                spent += time.perf_counter() - turn
                if spent >= _STEP:
                    break
                await asyncio.sleep(0)
                turn = time.perf_counter()
        self._seconds += spent + (time.perf_counter() - turn if spent < _STEP else 0)
        if folded:
            last = Mark(stored[folded - 1].position, stored[folded - 1].id)
            for follower in self.followers:
                if follower.failure is None and follower.reached.position < last.position:
                    follower.reached = last
        return folded

    def _wanting(self) -> Mapping[str, Sequence[Follower]]:
        """Return who wants the events of each kind."""
        kinds = {kind for each in self.followers for kind in each.projection.kinds}
        return {
            kind: [each for each in self.followers if kind in each.projection.kinds]
            for kind in kinds
        }

    def _fold_one(self, stored: Stored, followers: Sequence[Follower]) -> None:
        position = stored.position
        wanting = [each for each in followers if each.wants(position)]
        if not wanting:
            return
        try:
            recorded = self._ground.registry.recorded(stored)
        except (UnknownMessage, UpcastFailed, msgspec.MsgspecError) as error:
            for follower in wanting:
                follower.fail(position, str(error))
            return
        for follower in wanting:
            follower.fold(recorded)

    async def _write(self) -> bool:
        """Write what waits; say whether all of it could be."""
        self._bytes, self._seconds = 0, 0.0
        moving = [follower for follower in self.followers if follower.is_moving]
        if not moving:
            return True
        try:
            await self._commit(moving)
        except (BadRequest, StoreNotReady) as error:
            await self._isolate(moving, error)
            return False
        self._limit = min(2 * self._limit, _MOST)
        return True

    async def _isolate(self, moving: Sequence[Follower], error: BadRequest | StoreNotReady) -> None:
        """Find what the database refuses: first the read model, then its event.

        No event is to blame where the tables are gone, or not ours to write: raises StoreNotReady.
        """
        if len(self.followers) > 1:
            for follower in moving:
                try:
                    await self._commit([follower])
                except (BadRequest, StoreNotReady):
                    follower.discard()
                    self.followers.remove(follower)
                    self.outcasts.append(follower)
            return
        (follower,) = moving
        if isinstance(error, StoreNotReady):
            raise error
        span = follower.reached.position - follower.written.position
        follower.discard()
        self._limit = max(1, span // 2)
        if span <= 1:
            follower.fail(follower.written.position + 1, str(error))
            await self._commit([follower])

    async def _commit(self, moving: Sequence[Follower]) -> None:
        """Write what *moving* have folded, and where they stand, in one transaction."""
        for follower in moving:
            if not follower.reached.event:
                position = follower.reached.position
                follower.reached = Mark(position, await self._ground.event_at(position))
        began = time.perf_counter()
        with translated():
            async with self._connection.transaction():
                for follower in moving:
                    await follower.write(self._connection)
                reached("projector-before-commit")
                await self._advance(moving)
        reached("projector-after-commit")
        seconds = time.perf_counter() - began
        for follower in moving:
            metrics.projection_events.labels(follower.name).inc(follower.folded)
            metrics.projection_seconds.labels(follower.name).observe(seconds)
            follower.settle()
            if follower.failure:
                self.followers.remove(follower)
                self.stopped.append(follower)

    async def _advance(self, moving: Sequence[Follower]) -> None:
        """Note where *moving* stand, and wake who waits for that."""
        moved = await self._connection.fetchval(
            statement("projection_advance"),
            [follower.name for follower in moving],
            [follower.build.build for follower in moving],
            [follower.written.position for follower in moving],
            [follower.reached.position for follower in moving],
            [follower.reached.event for follower in moving],
            ["stopped" if follower.failure else follower.state for follower in moving],
            [follower.failure.position if follower.failure else None for follower in moving],
            [follower.failure.reason if follower.failure else None for follower in moving],
            self._ground.schema,
            _payload(moving),
            channel_of(self._ground.schema),
            told(each.changed() for each in moving),
        )
        if moved != len(moving):
            names = ", ".join(follower.name for follower in moving)
            raise StoreUnavailable(f"Another projector has moved or replaced some of {names}.")


def _payload(moving: Sequence[Follower]) -> str:
    """Return what those who wait are told: name, build and position each, or nothing."""
    if any(follower.failure for follower in moving):
        return ""
    said = [[each.name, each.build.build, each.reached.position] for each in moving]
    text = msgspec.json.encode(said).decode()
    return text if len(text) < _LONGEST_PAYLOAD else ""
