"""Brings the database to the shape this release needs, up and down."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import cast

import asyncpg
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from treering.errors import StoreNotReady, StoreUnavailable
from treering.sql import statement
from treering.store.connecting import connect, quoted, reached_schema, schema_of, translated
from treering.store.granting import grant, kept, may_write
from treering.store.revisions import BASE, HEAD, Revision, above, scripts
from treering.store.sessions import close, sessions_of

_LOCK_TIMEOUT = "10s"


async def current(url: str, namespace: str) -> str | None:
    """Return the revision that the database has; None if the store is not there."""
    connection = await connect(url)
    try:
        if not await reached_schema(connection, namespace):
            return None
        return await connection.fetchval(
            f"select version_num from {quoted(schema_of(namespace))}.alembic_version"  # noqa: S608 - quoted
        )
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()


async def upgrade(
    url: str,
    namespace: str,
    *,
    writer: str | None = None,
    reader: str | None = None,
    to: str = HEAD,
) -> str:
    """Migrate up to *to* as the owner, and grant *writer* and *reader* their rights.

    Returns the revision. Missing users are made, able to log in without a password of their own:
    where the server asks for one, make them before. Running it again changes nothing. Raises
    StoreNotReady, and changes nothing, if the store is newer than this release.
    """
    schema, models = quoted(schema_of(namespace)), quoted(f"{schema_of(namespace)}_read")
    async with _alone(url, namespace) as connection:
        above(await current(url, namespace), to)
        await connection.execute(
            f"create schema if not exists {schema}; create schema if not exists {models}"
        )
        await _migrate(url, namespace, to, up=True)
        await grant(connection, namespace, writer, reader)
    return await current(url, namespace) or ""


async def excess(url: str, reader: str) -> Sequence[str]:
    """Return what *reader* can do that somebody who only reads should not."""
    async with _connected(url) as connection:
        return await may_write(connection, reader)


async def pending(url: str, namespace: str, *, to: str = HEAD) -> Sequence[Revision]:
    """Return what `upgrade` would do."""
    return above(await current(url, namespace), to)


async def losses(url: str, namespace: str, *, to: str = BASE) -> Sequence[str]:
    """Return what is lost by a `downgrade`, the newest first; nothing if there is none to be done.

    Raises StoreNotReady if there is no store, or while processes of the service run.
    """
    undone = above(to, await _revision(url, namespace))[::-1]
    async with _connected(url) as connection:
        _require_rest(namespace, await sessions_of(connection, namespace))
        if to == BASE:
            await _require_unshown(connection, namespace)
        await connection.execute(f"set search_path = {quoted(schema_of(namespace))}")
        counts = [await connection.fetchval(each.count) for each in undone]
    return [
        each.loses.format(count=f"{count:,}") for each, count in zip(undone, counts, strict=True)
    ]


async def downgrade(
    url: str,
    namespace: str,
    *,
    to: str = BASE,
    writer: str | None = None,
    reader: str | None = None,
) -> str | None:
    """Migrate down to *to*; `base` removes the store and everything in it.

    Raises StoreNotReady while processes of the service run.
    """
    revision = await _revision(url, namespace)
    if higher := above(revision, to):
        raise StoreNotReady(
            f"{namespace} is at revision {revision}, below {higher[-1].name}: that is the way up, "
            "`treering db upgrade`."
        )
    if not above(to, revision):
        return revision
    async with _alone(url, namespace) as connection:
        await _migrate(url, namespace, to, up=False)
        if (revision := await current(url, namespace)) is not None:
            await grant(connection, namespace, writer, reader)
    return revision


def _require_rest(namespace: str, sessions: Sequence[str]) -> None:
    """Raise StoreNotReady if there are *sessions* of processes that run."""
    if sessions:
        raise StoreNotReady(
            f"Processes of {namespace!r} run, connected to the store as {'; '.join(sessions)}: "
            "stop them first, for they could not work with an older one."
        )


async def _require_unshown(connection: asyncpg.Connection, namespace: str) -> None:
    """Raise StoreNotReady if others have made views upon the store, which hold it fast."""
    schemas = [schema_of(namespace)]
    if leaning := await connection.fetch(statement("namespace_dependents"), schemas):
        raise StoreNotReady(
            f"Others show what is in the store of {namespace!r}, such as {leaning[0]['said']}: "
            "drop that first."
        )


async def _revision(url: str, namespace: str) -> str:
    """Return the revision of a store that is there and known to this release."""
    if (revision := await current(url, namespace)) is None:
        raise StoreNotReady(f"There is no store of {namespace!r} in this database to take down.")
    above(revision, HEAD)
    return revision


@asynccontextmanager
async def _connected(url: str) -> AsyncGenerator[asyncpg.Connection]:
    connection = await connect(url, settings={"lock_timeout": _LOCK_TIMEOUT})
    try:
        with translated():
            yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def _alone(url: str, namespace: str) -> AsyncGenerator[asyncpg.Connection]:
    """Connect, and keep all others waiting, for a while, who would migrate this store."""
    async with _connected(url) as connection:
        try:
            await connection.execute(statement("lock"), f"migrations of {namespace}")
        except asyncpg.LockNotAvailableError as error:
            raise StoreUnavailable(
                f"Somebody else migrates {namespace!r} and has not come to an end within "
                f"{_LOCK_TIMEOUT}; try again when that is done."
            ) from error
        yield connection


async def _migrate(url: str, namespace: str, to: str, *, up: bool) -> None:
    script = scripts()
    schema = schema_of(namespace)
    path = f"{schema}, pg_temp"  # functions keep it: nobody's temporary tables get in between

    def steps(revision: object, _context: MigrationContext) -> object:
        # alembic hands over what the database has, as a tuple or a word
        return script._upgrade_revs(to, revision) if up else script._downgrade_revs(to, revision)  # type: ignore[arg-type] # noqa: SLF001

    def run(connection: Connection) -> None:
        environment = EnvironmentContext(Config(), script, fn=steps)
        environment.configure(connection=connection, version_table_schema=schema, fn=steps)
        with environment, environment.begin_transaction():
            environment.run_migrations()

    async def connected() -> asyncpg.Connection:
        return await connect(url, settings={"search_path": path, "lock_timeout": _LOCK_TIMEOUT})

    engine = create_async_engine(
        "postgresql+asyncpg://", poolclass=NullPool, async_creator=connected
    )
    try:
        async with engine.begin() as connection:
            users = await connection.exec_driver_sql(statement("store_users"), (schema,))
            if not up:
                wire = (await connection.get_raw_connection()).driver_connection
                _require_rest(namespace, await close(cast("asyncpg.Connection", wire), namespace))
            rights = [*kept(namespace, ((row.user, row.what) for row in users))]
            await connection.run_sync(run)
            for sql in rights:
                await connection.exec_driver_sql(sql)
    finally:
        await engine.dispose()
