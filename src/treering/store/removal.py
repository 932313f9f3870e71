"""A namespace in PostgreSQL: what it has there, who uses it, and its end."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from treering.errors import StillRunning, StoreNotReady
from treering.sql import statement
from treering.store.connecting import connect, quoted, schema_of, translated
from treering.store.sessions import close, sessions_of

_LOCK_TIMEOUT = "10s"


@dataclass(frozen=True, slots=True, kw_only=True)
class InDatabase:
    """What a namespace has in a database."""

    schemas: Sequence[str]
    events: int
    read_models: Sequence[str]
    sessions: Sequence[str]
    """Processes that are connected, each in words."""
    leaning: Sequence[str]
    """Views and foreign keys of others, which go with what they show or name."""
    roles: Sequence[str]
    """Users with rights there, who may have some elsewhere."""


@asynccontextmanager
async def owning(url: str) -> AsyncGenerator[asyncpg.Connection]:
    """Connect as the owner."""
    connection = await connect(url, settings={"lock_timeout": _LOCK_TIMEOUT})
    try:
        with translated():
            yield connection
    finally:
        await connection.close()


async def in_database(url: str, namespace: str) -> InDatabase:
    """Return what *namespace* has in the database of *url*.

    Raises StoreNotReady if its schema is somebody else's: we may not, or shall not, drop it.
    """
    schema = schema_of(namespace)
    async with owning(url) as connection:
        (there,) = await connection.fetch(statement("namespace_there"), schema, f"{schema}_read")
        if there["foreign_schemas"]:
            raise StoreNotReady(
                f"The schema {there['foreign_schemas'][0]!r} does not belong to {there['me']!r}: "
                "name its owner in TREERING_DATABASE_OWNER."
            )
        if there["holds_something"] and not there["is_store"]:
            raise StoreNotReady(
                f"The schema {schema!r} holds something, but no store of {namespace!r}: it is not "
                "ours to drop."
            )
        if there["shows_something"]:
            raise StoreNotReady(
                f"The schema '{schema}_read' holds something, but no read models of {namespace!r}: "
                "it is not ours to drop."
            )
        sessions = await sessions_of(connection, namespace)
        leaning = await connection.fetch(statement("namespace_dependents"), there["schemas"])
        head = f"select position from {quoted(schema)}.head"  # noqa: S608 - quoted
        return InDatabase(
            schemas=there["schemas"],
            events=await connection.fetchval(head) if there["is_store"] else 0,
            read_models=there["read_models"],
            sessions=sessions,
            leaning=[row["said"] for row in leaning],
            roles=there["roles"],
        )


async def remove(url: str, namespace: str, found: InDatabase) -> None:
    """Drop the schemas *found* with everything in them, all or none.

    Raises StillRunning, with nothing dropped, if a process of *namespace* has begun meanwhile.
    """
    if not found.schemas:
        return
    async with owning(url) as connection, connection.transaction():
        if begun := await close(connection, namespace):
            raise StillRunning(
                f"{namespace} is in use by {'; '.join(begun)}, which began meanwhile: stop it and "
                "destroy it once more."
            )
        names = ", ".join(map(quoted, found.schemas))
        await connection.execute(f"drop schema if exists {names} cascade")
