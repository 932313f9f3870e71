"""What an operator accepts: a build that differs, or a change of code that changes no row."""

from collections.abc import Sequence
from dataclasses import replace

import asyncpg

from treering.errors import StoreNotReady
from treering.projection.announcing import folded, is_folded
from treering.projection.build import (
    LOCK,
    Build,
    builds,
    create,
    current,
    in_schema,
    plain_name,
    tables_of,
)  # fmt: skip
from treering.projection.declaration import Projection
from treering.projection.ground import Ground
from treering.projection.status import FAR
from treering.projection.takeup import take_up
from treering.sql import statement
from treering.store.connecting import translated


async def accept(ground: Ground, projection: Projection) -> str:
    """Take a held build up, which follows the log; return what was done, as a sentence.

    Raises StoreNotReady when there is nothing to accept, or it would show less than there is.
    """
    async with ground.connection() as connection:
        with translated():
            found = await builds(connection, [projection.name])
            held = _held(current(found, projection.version), projection.name)
            if not await folded(connection, ground.schema, [held]):
                raise StoreNotReady(f"Nobody folds {held.name}; start its projector, then accept.")
        lag = (await ground.reader.head()).position - held.position
        if lag > FAR:
            raise StoreNotReady(f"{held.name} lacks {lag:,} events; wait until it has caught up.")
        await take_up(connection, held, ground.schema)
    return f"{held.name} is taken up, although it differs: {held.differs}."


def _held(build: Build | None, name: str) -> Build:
    """Return *build* if an operator may take it up; raises StoreNotReady if not."""
    if build is None:
        raise StoreNotReady(
            f"{name} is not built for this release yet; start its projector, or say `--same` if "
            "the code has changed and no row does."
        )
    if build.serves:
        raise StoreNotReady(f"{name} serves already; there is nothing to accept.")
    if build.state == "stopped":
        raise StoreNotReady(
            f"{name} has stopped at position {build.stopped_at}; mend its fold, or have it "
            f"pass over the event: `treering projections skip {name} {build.stopped_at}`."
        )
    if not build.is_held:
        raise StoreNotReady(f"{name} is not compared yet; wait until its projector has done that.")
    return build


async def accept_same(ground: Ground, projection: Projection) -> str:
    """Have the tables of the version that serves stand for the declared one; return a sentence.

    Nothing is built, and an older release that folds them is not disturbed. Raises StoreNotReady
    where the tables are declared otherwise, or those of the declared version are there already.
    """
    name = projection.name
    async with ground.connection() as connection:
        with translated():
            found = await builds(connection, [name])
            if own := current(found, projection.version):
                raise StoreNotReady(_nothing(own))
            served = [each for each in found if each.serves]
            if not served:
                raise StoreNotReady(f"{name} was never built; start a projector, it builds it.")
            old = max(served, key=lambda each: (each.is_shown, each.born, each.build))
            await _stand_in(ground, connection, projection, old)
    return f"{name} goes on with build {old.build}: nothing is built anew for this release."


def _nothing(own: Build) -> str:
    """Return why nothing is to stand for *own*, which is of the declared version."""
    if own.serves:
        return f"{own.name} serves already; there is nothing to accept."
    return f"{own.name} is being built for this release already; accept it, if it is held then."


async def _stand_in(
    ground: Ground, connection: asyncpg.Connection, projection: Projection, old: Build
) -> None:
    """Have *old* stand for the declared version; raises StoreNotReady if it can not."""
    async with connection.transaction():
        await connection.execute(LOCK, f"{ground.schema} {old.name}")
        if await is_folded(connection, ground.schema, projection):
            raise StoreNotReady(f"A projector of this release runs already and builds {old.name}.")
        if differing := await _differing(ground, connection, projection, old):
            raise StoreNotReady(
                f"{old.name} has to be built anew, as other tables are declared: {differing}."
            )
        await connection.execute(statement("projection_also"), *old.id, projection.version)


async def _differing(
    ground: Ground, connection: asyncpg.Connection, projection: Projection, old: Build
) -> str:
    """Return which tables of *old* are not as declared."""
    declared = {table.name: table for table in projection.tables}
    before = {plain_name(table): table for table in old.tables}
    differing = [name for name in {**declared, **before} if name not in declared.keys() & before]
    if [*declared] != [*before]:
        return ", ".join(differing) or "their order"
    trial = connection.transaction()
    await trial.start()
    try:
        aside = replace(old, tables=[f"{name}_declared_0" for name in declared])
        for table, made in tables_of(projection, aside, ground.schema).items():
            await create(connection, made)
            there = in_schema(ground.schema, before[table.name])
            wanted = in_schema(ground.schema, made.name)
            if await _shape(connection, there) != await _shape(connection, wanted):
                differing.append(table.name)
    finally:
        await trial.rollback()
    return ", ".join(differing)


async def _shape(connection: asyncpg.Connection, table: str) -> list[Sequence[object]]:
    """Return what the columns, indexes and checks of *table* are."""
    columns = await connection.fetch(statement("projection_columns"), table)
    indexes = await connection.fetch(statement("projection_indexes"), table)
    checks = await connection.fetch(statement("projection_checks"), table)
    return [tuple(row) for row in (*columns, *indexes, *checks)]
