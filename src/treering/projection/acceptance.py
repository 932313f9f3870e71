"""What an operator accepts: a build that differs, or a change of code that changes no row."""

from collections.abc import Sequence
from dataclasses import replace

import asyncpg

from treering.errors import StoreNotReady
from treering.projection.announcing import is_folded
from treering.projection.build import (
    LOCK,
    Build,
    builds,
    create,
    in_schema,
    plain_name,
    tables_of,
)  # fmt: skip
from treering.projection.declaration import Projection
from treering.projection.ground import Ground
from treering.projection.takeup import take_up
from treering.sql import statement
from treering.store.connecting import translated


async def accept(ground: Ground, projection: Projection) -> str:
    """Take a held build up; return what was done, as a sentence.

    Where there is no build of the declared version yet, its tables are those of the one that
    serves: that one stands for it from now on, nothing is built, and an older release that folds
    it is not disturbed. Raises StoreNotReady when there is nothing to accept, or it can not be.
    """
    name = projection.name
    async with ground.connection() as connection:
        with translated():
            found = await builds(connection, [name])
            own = [each for each in found if each.stands_for(projection.version)]
            if held := next((each for each in own if each.is_held), None):
                await take_up(connection, held, ground.schema)
                return f"{name} is taken up, although it differs: {held.differs}."
            if own:
                raise StoreNotReady(_nothing(own))
            served = [each for each in found if each.serves]
            if not served:
                raise StoreNotReady(f"{name} was never built; start a projector, it builds it.")
            old = max(served, key=lambda each: (each.is_shown, each.born, each.build))
            await _stand_in(ground, connection, projection, old)
            return f"{name} goes on with build {old.build}: nothing is built anew for this release."


def _nothing(own: Sequence[Build]) -> str:
    """Return why none of *own*, which are of the declared version, is to be accepted."""
    name = own[0].name
    if any(each.serves for each in own):
        return f"{name} serves already; there is nothing to accept."
    return f"{name} is being built for this release already; wait until it is compared."


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
    """Return what the columns and indexes of *table* are."""
    columns = await connection.fetch(statement("projection_columns"), table)
    indexes = await connection.fetch(statement("projection_indexes"), table)
    return [tuple(row) for row in (*columns, *indexes)]
