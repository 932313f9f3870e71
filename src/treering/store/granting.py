"""Who may do what in a store: its users, and the rights that it gives them and keeps for them."""

from collections.abc import Iterable, Iterator

import asyncpg

from treering.errors import StoreNotReady
from treering.sql import statement
from treering.store.connecting import quoted, schema_of

_SEES = """
grant usage on schema {schema}, {models} to {user};
grant select on all tables in schema {schema} to {user};
grant select on all tables in schema {models} to {user};
alter default privileges in schema {schema} grant select on tables to {user};
alter default privileges in schema {models} grant select on tables to {user};
"""
_WRITES = """
grant execute on all functions in schema {schema} to {user};
grant usage, create on schema {models} to {user};
grant all on all tables in schema {models} to {user};
"""
_SHOWS = """
grant {writer} to current_user;
alter default privileges for role {writer} in schema {models} grant select on tables to {user};
"""
_KEPT = {
    "tables": "grant select on all tables in schema {schema} to {user}",
    "functions": "grant execute on all functions in schema {schema} to {user}",
}


async def grant(
    connection: asyncpg.Connection, namespace: str, writer: str | None, reader: str | None
) -> None:
    """Make both users, unless they are there, and give them their rights.

    Services may share them, so that one at a time does it.
    """
    schema, models = quoted(schema_of(namespace)), quoted(f"{schema_of(namespace)}_read")
    async with connection.transaction():
        await connection.execute(statement("lock_until_end"), "users of treering")
        for user in filter(None, (writer, reader)):
            await _make_user(connection, user)
        for sql in _grants(schema, models, writer, reader):
            await connection.execute(sql)
        if reader and reader != writer:
            await _take_from_all_but_others(connection, reader)


def kept(namespace: str, users: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield the statements that give *users* again, each with what it may use, what they had.

    A migration makes tables and functions anew, and those of before take their rights with them.
    """
    schema = quoted(schema_of(namespace))
    for user, what in users:
        yield _KEPT[what].format(schema=schema, user=quoted(user))


def _grants(schema: str, models: str, writer: str | None, reader: str | None) -> Iterator[str]:
    """Yield the statements that give both users their rights."""
    for user in filter(None, (writer, reader)):
        yield _SEES.format(schema=schema, models=models, user=quoted(user))
    if writer:
        yield _WRITES.format(schema=schema, models=models, user=quoted(writer))
    if writer and reader and writer != reader:
        yield _SHOWS.format(models=models, writer=quoted(writer), user=quoted(reader))


async def _take_from_all_but_others(connection: asyncpg.Connection, reader: str) -> None:
    """Take from *reader* what PostgreSQL lets everybody do: temporary tables, large objects.

    There is no taking it from one alone: it is taken from all, and given to the users that there
    are. Whoever may not take it leaves it; `may_write` says so.
    """
    for sql in [each[0] for each in await connection.fetch(statement("rights_of_all"), reader)]:
        await connection.execute(sql)


async def may_write(connection: asyncpg.Connection, reader: str) -> list[str]:
    """Return what *reader* can do that somebody who only reads should not."""
    return [each[0] for each in await connection.fetch(statement("reader_rights"), reader)]


async def _make_user(connection: asyncpg.Connection, user: str) -> None:
    sql = "select exists (select from pg_roles where rolname = $1)"
    if await connection.fetchval(sql, user):
        return
    try:
        async with connection.transaction():
            await connection.execute(f"create role {quoted(user)} login")
    except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
        return  # from another database of this server
    except asyncpg.InsufficientPrivilegeError as error:
        raise StoreNotReady(
            f"The role {user!r} is missing, and this user may not make it; make it first."
        ) from error
