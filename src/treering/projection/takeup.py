"""Which build is read: one is taken up, the view shows it, and what nobody needs is dropped."""

import asyncio
from collections.abc import Collection, Sequence

import asyncpg
import structlog

from treering.errors import StoreError, StoreNotReady, StoreUnavailable
from treering.projection.announcing import folded, needed
from treering.projection.build import LOCK, Build, builds, drop
from treering.projection.view import is_busy, move
from treering.sql import statement
from treering.store.connecting import translated

LITTLE = 0.05
"""Seconds for which those who read a view, and those who write beside, may be made to wait."""
_MUCH = 2.0
"""The same when it was tried again and again."""
_AGAIN = 1.0
"""Seconds until it is tried again."""
_log = structlog.stdlib.get_logger(__name__)


async def take_up(
    connection: asyncpg.Connection, build: Build, schema: str, patience: float = LITTLE
) -> None:
    """Let *build* serve, tell who reads, and drop what nobody needs any more.

    The view shows it, unless somebody folds a version that came later. If it can not be moved now
    it is later, by whoever folds *build*: but where it shows the same version, which is not folded
    any more, this raises StoreUnavailable, and nothing is changed.
    """
    with translated():
        async with connection.transaction():
            await alone(connection, build.name, schema, patience)
            found = await builds(connection, [build.name])
            if build.build not in {each.build for each in found}:
                raise StoreNotReady(f"Build {build.build} of {build.name} is gone.")
            if not outranked(build, found, await folded(connection, schema, found)):
                await _show(connection, build, found, schema)
            await connection.execute(statement("projection_live"), *build.id)
            said = f"{build.name} {build.build} {build.version}"
            await connection.execute("select pg_notify($1, $2)", schema, said)
        await _clear(connection, build, schema)


async def tried(connection: asyncpg.Connection, build: Build, schema: str, tries: int) -> bool:
    """Take *build* up, more patiently after each of *tries*; say whether, or wait a moment."""
    try:
        await take_up(connection, build, schema, min(LITTLE * 2**tries, _MUCH))
    except StoreUnavailable as error:
        if connection.is_closed():
            raise
        _log.warning("read model waits", name=build.name, reason=str(error))
        await asyncio.sleep(_AGAIN)
        return False
    return True


async def show_again(
    connection: asyncpg.Connection, build: Build, schema: str
) -> StoreError | bool:
    """Have the view show *build*, which serves, unless somebody folds a version that came later.

    Says whether it does, or what hinders it.
    """
    with translated():
        async with connection.transaction():
            await alone(connection, build.name, schema, LITTLE)
            found = await builds(connection, [build.name])
            if outranked(build, found, await folded(connection, schema, found)):
                return False
            return await move(connection, build, schema) or True


async def alone(connection: asyncpg.Connection, name: str, schema: str, patience: float) -> None:
    """Be the only one who changes builds of *name*, and wait for no lock longer than *patience*."""
    await connection.execute(f"set local lock_timeout = '{round(1000 * patience)}ms'")
    await connection.execute(LOCK, f"{schema} {name}")


def outranked(build: Build, builds: Sequence[Build], folded: Collection[int]) -> bool:
    """Say whether one of *builds* that are *folded* is of a version that came after *build*'s."""
    return any(
        each.serves and each.born > build.born and each.build in folded
        for each in builds
        if each.version != build.version
    )


async def discard(
    connection: asyncpg.Connection, builds: Sequence[Build], schema: str
) -> list[Build]:
    """Drop *builds*, in a transaction that goes on; return those that somebody still holds."""
    held: list[Build] = []
    for each in builds:
        try:
            with translated():
                await drop(connection, each.name, [each.build], schema)
        except StoreError as error:
            if connection.is_closed():
                raise
            held.append(each)
            _log.warning("build stays", name=each.name, build=each.build, reason=str(error))
    return held


async def _show(
    connection: asyncpg.Connection, build: Build, found: Sequence[Build], schema: str
) -> None:
    hindrance = await move(connection, build, schema)
    if hindrance is None:
        return
    if is_busy(hindrance) and any(e.is_shown and e.version == build.version for e in found):
        raise hindrance
    _log.warning("view stays", name=build.name, build=build.build, reason=str(hindrance))


async def _clear(connection: asyncpg.Connection, build: Build, schema: str) -> None:
    """Drop the builds beside *build* that nobody needs: now, or the next time.

    Those of its own version, and of others all that nobody declares or folds but for the newest
    that served, so that going back to it costs nothing.
    """
    try:
        with translated():
            async with connection.transaction():
                await alone(connection, build.name, schema, LITTLE)
                gone = await _unneeded(connection, build, schema)
                await discard(connection, gone, schema)
    except StoreError as error:
        if connection.is_closed():
            raise
        _log.warning("builds stay", name=build.name, reason=str(error))


async def _unneeded(connection: asyncpg.Connection, build: Build, schema: str) -> list[Build]:
    found = await builds(connection, [build.name])
    other = [each for each in found if each.version != build.version]
    who = await needed(connection, schema, other)
    last = max((each for each in other if each.serves), key=_born, default=None)
    unneeded = [each for each in other if not who[each.id] and each is not last]
    same = [each for each in found if each.version == build.version and each.build != build.build]
    return [each for each in (*same, *unneeded) if not each.is_shown]


def _born(build: Build) -> tuple[int, int]:
    return build.born, build.build
