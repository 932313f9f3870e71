"""One shift of a projector: from the moment it has a session until that is over, or it may go.

Read models that have caught up move on together. Those that have not, new ones first of all, do
so in packs of their own beside them, and join when they have.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from time import monotonic
from typing import Any

import asyncpg
import structlog

from treering.errors import StoreUnavailable
from treering.projection.build import Build, begin, builds, take_up
from treering.projection.declaration import Projection
from treering.projection.follower import Follower, skips_of
from treering.projection.ground import Ground
from treering.projection.pack import CHUNK, Pack
from treering.projection.session import Session
from treering.store.connecting import translated

_POLL = 1.0
"""Seconds after which it looks for events although nobody has called."""
_log = structlog.stdlib.get_logger(__name__)


class Shift:
    """Folds the read models whose locks it gets."""

    def __init__(
        self,
        ground: Ground,
        projections: Sequence[Projection],
        session: Session,
        connection: asyncpg.Connection,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._ground = ground
        self._session = session
        self._connection = connection
        self._tasks = tasks
        self._started: list[asyncio.Task[None]] = []
        self._waiting = {
            f"{ground.schema} {each.name} {each.version}": each for each in projections
        }
        """Read models that somebody else folds, by the names of their locks."""
        self._builds: dict[str, int] = {}
        self._stopped: dict[str, Follower] = {}
        self._arrivals: list[Follower] = []
        self._pack = Pack(ground, connection)
        self._next_look = 0.0

    async def work(self, stop: asyncio.Event) -> None:
        """Fold until *stop* is set; raises StoreUnavailable when the shift is over before."""
        self._start(self._session.keep())
        self._start(self._call_at(stop))
        try:
            while not stop.is_set():
                self._session.called.clear()
                await self._look()
                self._pack.followers += self._arrivals
                self._arrivals.clear()
                has_all = await self._pack.step()
                self._sort_out(self._pack)
                if has_all:
                    await self._session.wait(self._patience())
        finally:
            for task in self._started:
                task.cancel()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._started.append(self._tasks.create_task(work))

    async def _call_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._session.called.set()

    def _patience(self) -> float:
        idle = not self._waiting and not self._stopped
        return _POLL if idle else self._ground.seconds / 4

    async def _look(self) -> None:
        """See, a few times a second at most, what is to be taken up, taken over or tried again."""
        for name, build in self._session.taken_up.items():
            if self._builds.get(name, build) != build:
                raise StoreUnavailable(f"Somebody has built {name} anew.")
        if monotonic() < self._next_look:
            return
        self._next_look = monotonic() + self._ground.seconds / 4
        if self._waiting:
            taken = await self._session.take(self._waiting)
            await self._begin([self._waiting.pop(name) for name in taken])
        if self._stopped:
            await self._try_again()

    async def _begin(self, projections: Sequence[Projection]) -> None:
        """Begin to follow: those near the head with the rest, the others on their own."""
        if not projections:
            return
        head = (await self._ground.reader.head()).position
        far: list[Follower] = []
        for projection in projections:
            follower = await self._follower(projection)
            self._builds[follower.name] = follower.build.build
            is_near = head - follower.written.position < CHUNK and follower.state == "live"
            (self._arrivals if is_near else far).append(follower)
        if far:
            self._start(self._catch_up(far))

    async def _follower(self, projection: Projection) -> Follower:
        """Return who goes on with the newest build of this version, or with a new one."""
        ground = self._ground
        skips = await skips_of(ground.reader, ground.registry, projection.name)
        with translated():
            there = await builds(self._connection, [projection.name])
            found = [each for each in there if each.version == projection.version]
            found = [each for each in found if await self._is_of_this_store(each)]
            found.sort(key=lambda build: build.state == "building")
            build = found[0] if found else await begin(self._connection, projection, ground.schema)
        follower = Follower(projection, build, ground.schema, skips)
        if build.build < max((each.build for each in there), default=0):
            follower.state = "building"  # the view shows another version, or a build to be dropped
        return follower

    async def _is_of_this_store(self, build: Build) -> bool:
        return build.event == await self._ground.event_at(build.position)

    async def _catch_up(self, followers: Sequence[Follower]) -> None:
        """Bring *followers* to the head, then have them join the others."""
        ground = self._ground
        async with ground.connection() as connection:
            pack = Pack(ground, connection, followers)
            is_taken_up = False
            while not is_taken_up:
                while not await pack.step():
                    self._sort_out(pack)
                self._sort_out(pack)
                is_taken_up = await self._take_up(connection, pack.followers)
            self._arrivals += pack.followers
            self._session.called.set()

    async def _take_up(self, connection: asyncpg.Connection, followers: Sequence[Follower]) -> bool:
        """Have views show *followers* that are new; say whether nobody reads what they replace."""
        for follower in followers:
            if follower.state == "live":
                continue
            try:
                with translated():
                    await take_up(
                        connection, follower.projection, follower.build, self._ground.schema
                    )
            except StoreUnavailable as error:
                if connection.is_closed():
                    raise
                _log.warning("read model waits", name=follower.name, reason=str(error))
                await asyncio.sleep(_POLL)
                return False
            follower.state = "live"
            _log.info("read model is live", name=follower.name, build=follower.build.build)
        return True

    def _sort_out(self, pack: Pack) -> None:
        """Take away from *pack* who is stopped, and who has to be looked at alone."""
        for follower in pack.stopped:
            _log.error(
                "read model stopped",
                name=follower.name,
                position=follower.failure and follower.failure.position,
                reason=follower.failure and follower.failure.reason,
            )
            self._stopped[follower.name] = follower
        for follower in pack.outcasts:
            self._start(self._catch_up([follower]))
        pack.stopped.clear()
        pack.outcasts.clear()

    async def _try_again(self) -> None:
        """Go on with those stopped whose event an operator has skipped since."""
        for name, follower in [*self._stopped.items()]:
            skips = await skips_of(self._ground.reader, self._ground.registry, name)
            if follower.failure and follower.failure.position in skips:
                del self._stopped[name]
                follower.discard()
                follower.skips, follower.state = skips, "building"
                self._start(self._catch_up([follower]))
