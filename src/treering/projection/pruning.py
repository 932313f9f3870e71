"""Drops builds that nobody needs, and says who needs the others."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from treering.projection.announcing import needed, rebuild_lock
from treering.projection.build import LOCK, Build, builds, drop
from treering.projection.declaration import Projection
from treering.projection.ground import Ground
from treering.projection.takeup import show_again
from treering.sql import statement
from treering.store.connecting import translated


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What was dropped of the read models, and what was not."""

    dropped: Sequence[Build]
    kept: Sequence[tuple[Build, str]]
    """Builds of other versions than those declared, and why they stay."""


async def prune(ground: Ground, projections: Sequence[Projection]) -> Pruned:
    """Drop all builds that neither *projections* declare nor anybody who is alive.

    What was left by a rebuild that was killed goes with them, and so does a read model that no
    release has any more. What is read until a build of the declared version is taken up stays.
    """
    declared = {each.name: each for each in projections}
    dropped: list[Build] = []
    kept: list[tuple[Build, str]] = []
    async with ground.connection() as connection:
        with translated():
            there = await builds(connection, None)
            for name in dict.fromkeys(each.name for each in there):
                found = [each for each in there if each.name == name]
                gone, stay = await _pruned(ground, connection, found, declared.get(name))
                dropped += gone
                kept += stay
    return Pruned(dropped=dropped, kept=kept)


async def _pruned(
    ground: Ground,
    connection: asyncpg.Connection,
    found: Sequence[Build],
    projection: Projection | None,
) -> tuple[list[Build], list[tuple[Build, str]]]:
    """Drop of one read model's builds those that may go; return them, and why others stay."""
    name, schema = found[0].name, ground.schema
    own = [each for each in found if projection and each.stands_for(projection.version)]
    served = [each for each in own if each.serves and await ground.has(each)]
    serving = served[0] if served else None
    async with connection.transaction():
        await connection.execute("set local lock_timeout = '2s'")
        await connection.execute(LOCK, f"{schema} {name}")
        who = await needed(connection, schema, found)
        gone = [] if serving is None else await _abandoned(connection, own, schema)
        kept: list[tuple[Build, str]] = []
        for each in found:
            if each in own:
                continue
            if projection and serving is None and each.serves:
                kept.append((each, f"it is read until {name} of this release is taken up"))
            elif who[each.id]:
                kept.append((each, f"needed by {', '.join(who[each.id])}"))
            else:
                gone.append(each)
        if serving and any(each.is_shown for each in gone):
            await show_again(connection, serving, schema)
        await drop(connection, name, [each.build for each in gone], schema)
    return gone, kept


async def _abandoned(
    connection: asyncpg.Connection, own: Sequence[Build], schema: str
) -> list[Build]:
    """Return what is left of rebuilds, of which none runs."""
    lock = rebuild_lock(schema, own[0].name)
    if not await connection.fetchval(statement("projection_lock_until_end"), lock):
        return []
    return [each for each in own if not each.serves]
