"""Drops builds that nobody needs, and says who needs the others."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from treering.projection.announcing import needed, rebuild_lock
from treering.projection.build import Build, builds
from treering.projection.declaration import Projection
from treering.projection.ground import Ground
from treering.projection.takeup import alone, discard
from treering.projection.view import move
from treering.sql import statement
from treering.store.connecting import translated

_PATIENCE = 2.0
"""Seconds for which it waits for those who read what is to be dropped."""


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
            names = dict.fromkeys(each.name for each in await builds(connection, None))
            for name in names:
                gone, stay = await _pruned(ground, connection, name, declared.get(name))
                dropped += gone
                kept += stay
    return Pruned(dropped=dropped, kept=kept)


async def _pruned(
    ground: Ground, connection: asyncpg.Connection, name: str, projection: Projection | None
) -> tuple[list[Build], list[tuple[Build, str]]]:
    """Drop of one read model's builds those that may go; return them, and why others stay."""
    async with connection.transaction():
        await alone(connection, name, ground.schema, _PATIENCE)
        found = await builds(connection, [name])
        own = [each for each in found if projection and each.stands_for(projection.version)]
        serving = next((each for each in own if each.serves), None)
        who = await needed(connection, ground.schema, found)
        gone = [] if serving is None else await _abandoned(connection, own, serving, ground.schema)
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
        shown = [each for each in gone if each.is_shown]
        if serving and shown and (hindrance := await move(connection, serving, ground.schema)):
            kept += [(each, f"the view shows it: {hindrance}") for each in shown]
            gone = [each for each in gone if each not in shown]
        held = await discard(connection, gone, ground.schema)
    kept += [(each, "somebody reads it, or has made something of it") for each in held]
    return [each for each in gone if each not in held], kept


async def _abandoned(
    connection: asyncpg.Connection, own: Sequence[Build], serving: Build, schema: str
) -> list[Build]:
    """Return what is left of rebuilds, of which none runs: new builds, or old ones."""
    lock = rebuild_lock(schema, serving.name)
    if not await connection.fetchval(statement("projection_lock_until_end"), lock):
        return []
    return [e for e in own if not e.serves or (e.version == serving.version and e is not serving)]
