"""The plainly named views of one build: moved to it where that can be done, and why not."""

import asyncpg

from treering.errors import StoreError
from treering.projection.build import Build, in_schema, plain_name
from treering.sql import statement
from treering.store.connecting import translated


async def show(connection: asyncpg.Connection, build: Build, schema: str) -> None:
    """Have the views, plainly named, show *build*; who may read them stays as it was."""
    for table in build.tables:
        view = in_schema(schema, plain_name(table))
        shows = f"view {view} as table {in_schema(schema, table)}"
        try:
            async with connection.transaction():
                await connection.execute(f"create or replace {shows}")
        except asyncpg.InvalidTableDefinitionError:
            grants = await connection.fetch(statement("projection_grants"), view)
            await connection.execute(f"drop view {view}")
            await connection.execute(f"create {shows}")
            for row in grants:
                await connection.execute(row["grant"])
    await connection.execute(statement("projection_hindered"), *build.id, None)


async def move(connection: asyncpg.Connection, build: Build, schema: str) -> StoreError | None:
    """Have the views show *build* in a transaction that goes on; return what hinders that.

    Somebody reads them, or has made something of them: what serves does not depend on it.
    """
    try:
        with translated():
            async with connection.transaction():
                await show(connection, build, schema)
    except StoreError as error:
        if connection.is_closed():
            raise
        with translated():
            await connection.execute(statement("projection_hindered"), *build.id, str(error))
        return error
    return None


def is_busy(error: StoreError) -> bool:
    """Say whether *error* is that somebody reads what is to be moved, or is at work on it."""
    return isinstance(error.__cause__, asyncpg.LockNotAvailableError)
