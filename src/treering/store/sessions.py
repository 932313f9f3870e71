"""Which processes of a service are connected to its store, and how no other one is."""

from collections.abc import Sequence

import asyncpg

from treering.sql import statement
from treering.store.connecting import quoted, schema_of


async def sessions_of(connection: asyncpg.Connection, namespace: str) -> Sequence[str]:
    """Return the processes of *namespace* that are connected, each in words."""
    names = [f"treering {namespace}", f"treering {schema_of(namespace)} committer"]
    rows = await connection.fetch(statement("namespace_sessions"), names)
    return [row["said"] for row in rows]


async def close(connection: asyncpg.Connection, namespace: str) -> Sequence[str]:
    """Let nobody begin to work in the store until this transaction ends; return who does already.

    A process looks at the revision before it does anything: it waits for us there, and is seen.
    """
    revision = f"{quoted(schema_of(namespace))}.alembic_version"
    if await connection.fetchval("select to_regclass($1) is not null", revision):
        await connection.execute(f"lock table {revision} in access exclusive mode")
    return await sessions_of(connection, namespace)
