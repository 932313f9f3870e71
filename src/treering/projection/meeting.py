"""Where a build meets the one that it is to replace, so that they can be compared.

That one may be folded by another process, or by nobody. So the new one folds up to where the other
stands, which then stands still for the few milliseconds in which the new one folds the rest and
both are looked at; the comparison is of that look, while everybody goes on.
"""

from contextlib import AsyncExitStack

import asyncpg

from treering.errors import StoreUnavailable
from treering.points import reached
from treering.projection.build import Build, builds, drop
from treering.projection.comparison import compare
from treering.projection.follower import Follower
from treering.projection.ground import Ground
from treering.projection.notice import Notice
from treering.projection.pack import Pack
from treering.sql import statement
from treering.store.connecting import translated

_NEAR = 100
"""Events that are folded while the old one stands still, at most."""
_LONGEST = 600_000
"""Milliseconds for which a table is compared: PostgreSQL can not clear up behind its snapshot."""
_GENTLY = "set local max_parallel_workers_per_gather = 0; set local work_mem = '32MB'"


async def meet(ground: Ground, pack: Pack, follower: Follower, notice: Notice) -> str | None:
    """Return how *follower*, alone in *pack*, differs from what it is to replace.

    Empty: in nothing. None: there is nothing to compare it with, or it has stopped on the way.
    """
    async with ground.connection() as holding:
        while (old := await predecessor(holding, follower.build)) is not None:
            if old.position < follower.written.position:
                await _start_again(ground, holding, follower)
            await pack.reach(old.position, notice)
            if follower.failure:
                return None
            with translated():
                differs = await _compared(ground, holding, pack, follower, old)
            if differs is not None:
                return differs
    return None


async def predecessor(connection: asyncpg.Connection, build: Build) -> Build | None:
    """Return what *build* is to replace: of its version, else what is shown, else the newest."""
    with translated():
        found = await builds(connection, [build.name])
    served = [each for each in found if each.serves and each.build != build.build]
    return max(served, key=lambda each: _rank(each, build), default=None)


async def _compared(
    ground: Ground, holding: asyncpg.Connection, pack: Pack, follower: Follower, old: Build
) -> str | None:
    """Return how *follower* differs from *old*; None if they did not stand at one position."""
    connection, new = pack.connection, follower.build
    async with AsyncExitStack() as looking:
        async with holding.transaction():
            await holding.execute("set local lock_timeout = '2s'")
            position = await holding.fetchval(statement("projection_still"), *old.id)
            if position is None or position - follower.written.position > _NEAR:
                return None
            await pack.reach(position)
            look = connection.transaction(isolation="repeatable_read", readonly=True)
            await looking.enter_async_context(look)
            both = old.name, [old.build, new.build]
            standing = await connection.fetch(statement("projection_standing"), *both)
        if len(standing) < len(both) or len({row["position"] for row in standing}) > 1:
            return None
        await connection.execute(f"{_GENTLY}; set local statement_timeout = {_LONGEST}")
        try:
            differs = await compare(connection, old, new, ground.schema)
        except asyncpg.QueryCanceledError:
            differs = f"it could not be compared within {_LONGEST / 1000:g} s"
        reached("build-compared")
        return differs


async def _start_again(ground: Ground, connection: asyncpg.Connection, follower: Follower) -> None:
    """Drop the build: what it was to replace is another one now, and lies behind."""
    with translated():
        await drop(connection, follower.name, [follower.build.build], ground.schema)
    raise StoreUnavailable(f"{follower.name} has passed what it is to replace; it begins again.")


def _rank(each: Build, build: Build) -> tuple[bool, bool, int, int]:
    return each.version == build.version, each.is_shown, each.born, each.build
