"""One shift of a projector: from the moment it has a session until that is over, or it may go.

Read models that have caught up move on together. Those that have not, new ones first of all, do
so in packs of their own beside them, and join when they have.
"""

import asyncio
from collections.abc import Awaitable, Coroutine, Sequence
from time import monotonic
from typing import Any

import asyncpg
import structlog

from treering.errors import BadRequest, StoreError, StoreNotReady, StoreUnavailable
from treering.projection.announcing import lock_of
from treering.projection.build import begin, builds, current
from treering.projection.building import Builder
from treering.projection.declaration import Projection
from treering.projection.follower import Follower, skips_of
from treering.projection.ground import Ground
from treering.projection.meeting import predecessor
from treering.projection.pack import CHUNK, Pack
from treering.projection.session import Session
from treering.projection.takeup import show_again
from treering.projection.views import Views
from treering.store.connecting import translated

_AGAIN = 1.0
"""Seconds until what the database does not let be folded is tried again."""
_POLL = 1.0
"""Seconds after which it looks for events although nobody has called."""
_log = structlog.stdlib.get_logger(__name__)


class Shift:
    """Folds the read models whose locks it gets."""

    def __init__(  # noqa: PLR0913 - what a shift works with, put together once
        self,
        ground: Ground,
        projections: Sequence[Projection],
        session: Session,
        connection: asyncpg.Connection,
        tasks: asyncio.TaskGroup,
        *,
        accepts: bool = False,
        rollback_seconds: float = 5.0,
    ) -> None:
        self._ground = ground
        self._projections = projections
        self._session = session
        self._connection = connection
        self._tasks = tasks
        self._started: list[asyncio.Task[None]] = []
        self._waiting: dict[str, Projection] = {}
        """Read models that somebody else folds, by the names of their locks."""
        self._followers: dict[tuple[str, str], Follower] = {}
        """Those that are folded here, by read model and version."""
        self._stopped: dict[str, Follower] = {}
        self._put_off: dict[str, Projection] = {}
        """Those that the database does not let be folded: they are tried again alone."""
        self._reasons: dict[str, str] = {}
        """Why, as it was said."""
        self._next_try = 0.0
        self._arrivals: list[Follower] = []
        self._pack = Pack(ground, connection)
        self._builder = Builder(ground, self._sort_out, accepts=accepts)
        self._views = Views(ground.schema, connection, rollback_seconds)
        self._next_look = 0.0

    async def work(self, stop: asyncio.Event) -> None:
        """Fold until *stop* is set; raises StoreUnavailable when the shift is over before."""
        self._start(self._session.keep())
        self._start(self._call_at(stop))
        try:
            self._waiting = {await self._lock(each): each for each in self._projections}
            while not stop.is_set():
                self._session.called.clear()
                await self._look()
                self._pack.followers += self._arrivals
                self._arrivals.clear()
                has_all = await self._step()
                self._sort_out(self._pack)
                if has_all:
                    await self._session.wait(self._patience())
        finally:
            for task in self._started:
                task.cancel()

    async def _step(self) -> bool:
        """Move all that have caught up; who can not be is tried again alone."""
        try:
            return await self._pack.step()
        except StoreNotReady as error:
            for follower in self._pack.followers:
                self._put(follower.projection, error)
            self._pack.followers.clear()
            return True

    def _put(self, projection: Projection, error: StoreError) -> None:
        """Put *projection* off, and say why once."""
        self._put_off[projection.name] = projection
        self._next_try = monotonic() + _AGAIN
        if self._reasons.get(projection.name) != str(error):
            self._reasons[projection.name] = str(error)
            _log.error("read model is put off", name=projection.name, reason=str(error))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._started.append(self._tasks.create_task(work))

    async def _call_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._session.called.set()

    def _patience(self) -> float:
        idle = not self._waiting and not self._stopped and not self._put_off
        return _POLL if idle else self._ground.seconds / 4

    async def _lock(self, projection: Projection) -> str:
        """Return the name of the lock of the version that is declared, or stands for it."""
        with translated():
            there = await builds(self._connection, [projection.name])
        version = next(
            (each.version for each in there if each.stands_for(projection.version)),
            projection.version,
        )
        return lock_of(self._ground.schema, projection.name, version)

    async def _look(self) -> None:
        """See, a few times a second at most, what is to be taken up, taken over or tried again."""
        await self._hear()
        if monotonic() < self._next_look:
            return
        self._next_look = monotonic() + self._ground.seconds / 4
        if self._waiting:
            taken = await self._session.take(self._waiting)
            await self._begin([self._waiting.pop(name) for name in taken])
        if self._stopped:
            await self._try_again()
        if self._put_off and monotonic() >= self._next_try:
            again, self._put_off = [*self._put_off.values()], {}
            await self._begin(again)
        await self._views.look(each.build.id for each in self._pack.followers)

    async def _hear(self) -> None:
        """Take note of builds that others took up, and go on with what they have built anew."""
        while self._session.taken_up:
            id_, build = self._session.taken_up.popitem()
            follower = self._followers.get(id_)
            if follower is None:
                continue
            if follower.build.build == build:
                follower.state, follower.differs = "live", ""
            elif follower in self._pack.followers:
                self._pack.followers.remove(follower)
                await self._begin([follower.projection])
            else:
                raise StoreUnavailable(f"Somebody has built {follower.name} anew.")

    async def _begin(self, projections: Sequence[Projection]) -> None:
        """Begin to follow: those near the head with the rest, the others on their own."""
        if not projections:
            return
        head = (await self._ground.reader.head()).position
        far: list[Follower] = []
        for projection in projections:
            try:
                follower = await self._follower(projection)
            except (BadRequest, StoreNotReady) as error:
                self._put(projection, error)
                continue
            self._followers[follower.name, follower.build.version] = follower
            if follower.differs is None or follower.name in self._reasons:
                self._go_alone(follower)
            elif head - follower.written.position < CHUNK and follower.state == "live":
                self._arrivals.append(follower)
            else:
                far.append(follower)
        if far:
            self._start(self._arrive(far, self._builder.catch_up(far)))

    def _go_alone(self, follower: Follower) -> None:
        build = self._builder
        is_new = follower.differs is None
        going = build.replace(follower) if is_new else build.catch_up([follower])
        self._start(self._arrive([follower], going))

    async def _follower(self, projection: Projection) -> Follower:
        """Return who goes on with the newest build of this version, or with a new one."""
        ground = self._ground
        skips = await skips_of(ground.reader, ground.registry, projection.name)
        with translated():
            there = await builds(self._connection, [projection.name])
            build = current(there, projection.version)
            if build is None:
                build = await begin(self._connection, projection, ground.schema)
            if not there:
                await show_again(self._connection, build, ground.schema)
        follower = Follower(projection, build, ground.schema, skips)
        if follower.differs is None and await predecessor(self._connection, build) is None:
            follower.differs = ""
        return follower

    async def _arrive(
        self, going: Sequence[Follower], arriving: Awaitable[Sequence[Follower]]
    ) -> None:
        """Have those of *going* who come to the head join the others."""
        try:
            self._arrivals += await arriving
        except (BadRequest, StoreNotReady) as error:
            gone = [*self._pack.followers, *self._arrivals, *self._stopped.values()]
            for follower in going:
                if follower not in gone:
                    self._put(follower.projection, error)
        self._session.called.set()

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
            self._go_alone(follower)
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
                self._go_alone(follower)
