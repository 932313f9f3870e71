"""A read model built anew beside the old one, which is read until the new one takes its place."""

from dataclasses import dataclass

import asyncpg

from treering.errors import ProjectionStopped, StoreNotReady
from treering.message import Position
from treering.projection.announcing import rebuild_lock
from treering.projection.build import Build, begin, builds, current, drop
from treering.projection.declaration import Projection
from treering.projection.follower import Follower, skips_of
from treering.projection.ground import Ground
from treering.projection.meeting import meet
from treering.projection.notice import Notice, Report
from treering.projection.pack import Pack
from treering.projection.takeup import tried
from treering.registry import Registry
from treering.sql import statement
from treering.store import Reader
from treering.store.connecting import translated


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What became of a rebuild."""

    position: Position
    """Up to where it was folded."""
    differs: str
    """How the new build differs from the old one, empty if it does not."""
    is_taken_up: bool


async def rebuild(
    reader: Reader,
    registry: Registry,
    projection: Projection,
    *,
    namespace: str,
    accept: bool = False,
    report: Report | None = None,
) -> Rebuilt:
    """Fold the whole store into new tables of *projection*, and let them take its place.

    They do so if they are the same as the old ones, or told to *accept* what differs; else they are
    dropped. What an operator skipped is passed over. A projector that runs goes on with the new
    tables. *report* is told how far it is. Raises ProjectionStopped, with the old tables left as
    they are, at an event that can not be folded, and StoreNotReady when there is nothing to
    replace, or somebody else is about to.
    """
    ground = Ground(reader=reader, registry=registry, namespace=namespace)
    skips = await skips_of(reader, registry, projection.name)
    async with ground.connection() as connection:
        build = await _begin(ground, connection, projection)
        follower = Follower(projection, build, ground.schema, skips)
        pack = Pack(ground, connection, [follower])
        notice = Notice(pack, report)
        is_wanted = False
        try:
            differs = await _fold(ground, pack, follower, notice)
            is_wanted = accept or not differs
        finally:
            if not is_wanted and not connection.is_closed():
                await drop(connection, build.name, [build.build], ground.schema)
        if is_wanted:
            await _take_up(ground, pack, follower, notice)
    position = follower.written.position
    return Rebuilt(position=position, differs=differs, is_taken_up=is_wanted)


async def _begin(ground: Ground, connection: asyncpg.Connection, projection: Projection) -> Build:
    """Begin a build, alone; what a rebuild that was killed has left is dropped."""
    name = projection.name
    with translated():
        lock = rebuild_lock(ground.schema, name)
        if not await connection.fetch(statement("projection_lock"), [lock]):
            raise StoreNotReady(f"{name} is being built anew already; wait for that.")
        found = await builds(connection, [name])
        old = current(found, projection.version)
        if old is None or not old.serves or old.state == "building":
            raise StoreNotReady(_nothing(name, old))
        own = [each for each in found if each.stands_for(projection.version)]
        left = [each.build for each in own if not each.serves]
        await drop(connection, name, left, ground.schema)
        return await begin(connection, projection, ground.schema, old.version)


def _nothing(name: str, build: Build | None) -> str:
    """Return why there is nothing that a new build could replace."""
    if build is not None and build.is_held:
        return (
            f"{name} is held, it is not read yet: `treering projections accept {name}` takes it "
            "up; a mended fold is another version, and built by its projector."
        )
    return f"{name} has nothing to replace yet; start a projector, it builds it."


async def _fold(ground: Ground, pack: Pack, follower: Follower, notice: Notice) -> str:
    """Fold all there is; return how that differs from what it is to replace."""
    await notice.begin()
    differs = await meet(ground, pack, follower, notice)
    await _catch_up(pack, follower, notice)
    return differs or ""


async def _take_up(ground: Ground, pack: Pack, follower: Follower, notice: Notice) -> None:
    """Let the new build serve as soon as nobody reads the old one, and go on until then."""
    tries = 0
    while not await tried(pack.connection, follower.build, ground.schema, tries):
        tries += 1
        await _catch_up(pack, follower, notice)


async def _catch_up(pack: Pack, follower: Follower, notice: Notice) -> None:
    while not await pack.step():
        await notice()
    if follower.failure:
        failed = follower.failure
        raise ProjectionStopped(follower.name, failed.position, failed.reason)
