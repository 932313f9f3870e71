"""Brings builds to the head, has them compared with what they are to replace, and taken up."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import count
from time import monotonic

import asyncpg
import structlog

from treering.points import reached
from treering.projection.follower import Follower
from treering.projection.ground import Ground
from treering.projection.meeting import meet
from treering.projection.notice import Notice
from treering.projection.pack import Pack
from treering.projection.takeup import tried
from treering.sql import statement
from treering.store.connecting import translated

_log = structlog.stdlib.get_logger(__name__)
NEWS = "treering.news"
"""Where a person who changes a read model hears of it, in sentences."""
_news = structlog.stdlib.get_logger(NEWS)
_ROOMS = 4
"""Packs, and connections, beside those that have caught up."""


class Builder:
    """Brings followers to the head in packs of their own; *accepts* also those that differ."""

    def __init__(self, ground: Ground, sort_out: Callable[[Pack], None], *, accepts: bool) -> None:
        self._ground = ground
        self._sort_out = sort_out
        """Takes away from a pack who can not go on in it."""
        self._accepts = accepts
        self._turn = asyncio.Lock()
        """Those that are compared are built one after another."""
        self._rooms = asyncio.Semaphore(_ROOMS)

    async def catch_up(self, followers: Sequence[Follower]) -> Sequence[Follower]:
        """Return those that have come to the head: they serve, or are held."""
        async with self._rooms, self._ground.connection() as connection:
            pack = Pack(self._ground, connection, followers)
            notice = Notice(pack)
            await notice.begin()
            for tries in count():
                while not await pack.step():
                    self._sort_out(pack)
                    await notice()
                self._sort_out(pack)
                if await self._take_up(connection, pack.followers, tries):
                    break
            return pack.followers

    async def replace(self, follower: Follower) -> Sequence[Follower]:
        """Do the same for one that has to be compared, and say what is done."""
        began, start = monotonic(), follower.written.position
        _news.info(f"{follower.name} is built anew: its declaration has changed …")
        async with self._turn, self._ground.connection() as connection:
            pack = Pack(self._ground, connection, [follower])
            notice = Notice(pack)
            await notice.begin()
            differs = await meet(self._ground, pack, follower, notice)
            self._sort_out(pack)
            if pack.followers:
                await self._judge(connection, follower, differs or "")
        if follower.failure:
            return ()
        arrived = await self.catch_up([follower])
        if follower.state == "live":
            events, seconds = follower.written.position - start, monotonic() - began
            _news.info(f"{follower.name} is built: {events:,} events in {seconds:.1f} s.")
        return arrived

    async def _judge(self, connection: asyncpg.Connection, follower: Follower, how: str) -> None:
        """Note whether *follower* may take its place, and say so if it may not."""
        if how and self._accepts:
            _news.info(f"{follower.name} has changed ({how}); it is taken up all the same.")
            how = ""
        with translated():
            await connection.execute(statement("projection_differs"), *follower.build.id, how)
        reached("build-judged")
        follower.differs = how
        if how:
            _log.warning(
                "read model is held; `treering projections accept` takes it up",
                name=follower.name,
                reason=how,
            )

    async def _take_up(
        self, connection: asyncpg.Connection, followers: Sequence[Follower], tries: int
    ) -> bool:
        """Have those of *followers* serve that may; say whether nobody reads what they replace."""
        for follower in followers:
            if follower.state == "live" or follower.differs:
                continue
            if not await tried(connection, follower.build, self._ground.schema, tries):
                return False
            reached("build-taken-up")
            follower.state = "live"
            _log.info("read model is live", name=follower.name, build=follower.build.build)
        return True
