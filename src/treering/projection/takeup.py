"""Which build is read: one is taken up, the view shows it, and what nobody needs is dropped."""

from collections.abc import Collection, Sequence

import asyncpg

from treering.errors import StoreNotReady
from treering.projection.announcing import folded, needed
from treering.projection.build import LOCK, Build, builds, drop, show
from treering.sql import statement

_PATIENCE = "set local lock_timeout = '2s'"
_LITTLE = "set local lock_timeout = '50ms'"
"""Whoever asks folds as well, and is waited for."""


async def take_up(connection: asyncpg.Connection, build: Build, schema: str) -> None:
    """Let *build* serve, and tell who reads.

    The view shows it, unless somebody folds a version that came later. Other builds of its version
    are dropped. Of other versions those stay that somebody declares or folds, and the newest that
    is live, so that going back to it costs nothing.
    """
    async with connection.transaction():
        await connection.execute(_PATIENCE)
        await connection.execute(LOCK, f"{schema} {build.name}")
        if not await connection.fetchval(statement("projection_live"), build.name, build.build):
            raise StoreNotReady(f"Build {build.build} of {build.name} is gone.")
        found = await builds(connection, [build.name])
        if not outranked(build, found, await folded(connection, schema, found)):
            await show(connection, build, schema)
        gone = await _unneeded(connection, build, found, schema)
        await drop(connection, build.name, gone, schema)
        said = f"{build.name} {build.build} {build.version}"
        await connection.execute("select pg_notify($1, $2)", schema, said)


async def show_again(connection: asyncpg.Connection, build: Build, schema: str) -> bool:
    """Have the view show *build*, which serves, unless somebody folds a version that came later.

    Says whether it does; raises LockNotAvailableError while somebody reads it for long.
    """
    async with connection.transaction():
        await connection.execute(_LITTLE)
        await connection.execute(LOCK, f"{schema} {build.name}")
        found = await builds(connection, [build.name])
        if outranked(build, found, await folded(connection, schema, found)):
            return False
        await show(connection, build, schema)
    return True


def outranked(build: Build, builds: Sequence[Build], folded: Collection[int]) -> bool:
    """Say whether one of *builds* that are *folded* is of a version that came after *build*'s."""
    return any(
        each.serves and each.born > build.born and each.build in folded
        for each in builds
        if each.version != build.version
    )


async def _unneeded(
    connection: asyncpg.Connection, build: Build, found: Sequence[Build], schema: str
) -> list[int]:
    """Return the numbers of the builds beside *build* that nobody needs."""
    same = [each for each in found if each.version == build.version and each.build != build.build]
    other = [each for each in found if each.version != build.version]
    who = await needed(connection, schema, other)
    live = max((each for each in other if each.state == "live"), key=_born, default=None)
    unneeded = [each for each in other if not who[each.id] and each is not live]
    return [each.build for each in (*same, *unneeded)]


def _born(build: Build) -> tuple[int, int]:
    return build.born, build.build
