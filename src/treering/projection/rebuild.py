"""A read model built anew beside the old one, which is read until the new one takes its place."""

from collections.abc import Callable

import asyncpg

from treering.errors import ProjectionStopped, StoreNotReady
from treering.message import Position
from treering.projection.build import Build, begin, builds, drop, take_up
from treering.projection.declaration import Projection
from treering.projection.follower import Follower, skips_of
from treering.projection.ground import Ground
from treering.projection.pack import Pack
from treering.registry import Registry
from treering.sql import statement
from treering.store import Reader
from treering.store.connecting import translated

type Report = Callable[[Position], None]


def _ignore(_position: Position) -> None:
    return


async def rebuild(
    reader: Reader,
    registry: Registry,
    projection: Projection,
    *,
    namespace: str,
    report: Report = _ignore,
) -> Position:
    """Fold the whole store into new tables of *projection*, and let them take its place.

    What an operator skipped is passed over. A projector that runs goes on with the new tables.
    *report* is told how far it is; returned is where it ended. Raises ProjectionStopped, with the
    old tables left as they are, at an event that can not be folded, and StoreNotReady when there
    is nothing to replace, or somebody else is about to.
    """
    ground = Ground(reader=reader, registry=registry, namespace=namespace)
    skips = await skips_of(reader, registry, projection.name)
    async with ground.connection() as connection:
        build = await _begin(ground, connection, projection)
        follower = Follower(projection, build, ground.schema, skips)
        try:
            await _fold(ground, connection, follower, report)
        except BaseException:
            if not connection.is_closed():
                await drop(connection, build, ground.schema)
            raise
        with translated():
            await take_up(connection, projection, build, ground.schema)
    return follower.written.position


async def _begin(ground: Ground, connection: asyncpg.Connection, projection: Projection) -> Build:
    with translated():
        lock = f"{ground.schema} {projection.name} rebuild"
        if not await connection.fetch(statement("projection_lock"), [lock]):
            raise StoreNotReady(f"{projection.name} is being built anew already; wait for that.")
        found = await builds(connection, [projection.name])
        if not any(
            each.version == projection.version and each.state != "building" for each in found
        ):
            raise StoreNotReady(
                f"{projection.name} has nothing to replace yet; start a projector, it builds it."
            )
        return await begin(connection, projection, ground.schema)


async def _fold(
    ground: Ground, connection: asyncpg.Connection, follower: Follower, report: Report
) -> None:
    pack = Pack(ground, connection, [follower])
    has_all = False
    while not has_all:
        has_all = await pack.step()
        if follower.failure:
            failed = follower.failure
            raise ProjectionStopped(follower.name, failed.position, failed.reason)
        report(follower.reached.position)
