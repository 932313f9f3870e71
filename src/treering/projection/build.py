"""Builds: the tables of one version of a read model, made, taken up and dropped.

`datasets_3f2a_2` is the second build of the read model that has the table `datasets`, of the
version 3f2a…; the view `datasets` shows the one that is current. All of it lies in a schema of its
own, with one more table, `projection`, that says where each build stands.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import asyncpg
from sqlalchemy import Constraint, MetaData, String, Table
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql import quoted_name

from treering.message import Position
from treering.projection.declaration import Projection
from treering.sql import statement
from treering.store.connecting import quoted, schema_of

type State = Literal["building", "live", "stopped"]

_DIALECT = dialect()
_LOCK = "select pg_advisory_xact_lock(hashtextextended($1, 0))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What is noted of one build."""

    name: str
    build: int
    version: str
    position: Position
    """What it shows: the fold of all events up to here."""
    event: str
    """The id of the event there: another one means that the store is another one."""
    state: State
    stopped_at: Position | None
    reason: str | None
    tables: Sequence[str]


def schema_for(namespace: str) -> str:
    """Return the schema of the read models of *namespace*."""
    return f"{schema_of(namespace)}_read"


def tables_of(projection: Projection, build: Build, schema: str) -> Mapping[Table, Table]:
    """Return the tables of *build* by those declared; text sorts alike wherever they are."""
    names = zip(projection.tables, build.tables, strict=True)
    return {table: _named(table, name, schema) for table, name in names}


async def prepare(connection: asyncpg.Connection, schema: str) -> None:
    """Make the table in which builds are noted, once."""
    async with connection.transaction():
        await connection.execute(_LOCK, f"{schema} projections")
        await connection.execute(statement("projection_table"))


async def builds(connection: asyncpg.Connection, names: Sequence[str]) -> list[Build]:
    """Return the builds of the read models called *names*, the newest first."""
    return [build_of(row) for row in await connection.fetch(statement("projection_builds"), names)]


def build_of(row: Any) -> Build:
    """Return the build in *row*."""
    return Build(**{name: row[name] for name in Build.__dataclass_fields__})


async def begin(connection: asyncpg.Connection, projection: Projection, schema: str) -> Build:
    """Make a new build, empty; the view shows it only if there was none before."""
    plain = [table.name for table in projection.tables]
    async with connection.transaction():
        await connection.execute(_LOCK, f"{schema} {projection.name}")
        asked = projection.name, projection.version, plain
        build = build_of(await connection.fetchrow(statement("projection_begin"), *asked))
        await _drop_tables(connection, build.tables, schema)
        for table in tables_of(projection, build, schema).values():
            await connection.execute(str(CreateTable(table).compile(dialect=_DIALECT)))
            for index in table.indexes:
                await connection.execute(str(CreateIndex(index).compile(dialect=_DIALECT)))
        if build.build == 1:
            await _show(connection, projection, build, schema)
    return build


async def take_up(
    connection: asyncpg.Connection, projection: Projection, build: Build, schema: str
) -> None:
    """Let the view show *build*, and tell who reads.

    Other builds of its version are dropped; of other versions the newest is kept, so that going
    back to it costs nothing.
    """
    async with connection.transaction():
        await connection.execute("set local lock_timeout = '2s'")
        await connection.execute(_LOCK, f"{schema} {projection.name}")
        await connection.execute(statement("projection_live"), build.name, build.build)
        await _show(connection, projection, build, schema)
        found = await builds(connection, [build.name])
        same = [each.build for each in found if each.version == build.version]
        other = [each.build for each in found if each.version != build.version]
        gone = [*(number for number in same if number != build.build), *other[1:]]
        await _drop(connection, build.name, gone, schema)
        await connection.execute("select pg_notify($1, $2)", schema, f"{build.name} {build.build}")


async def drop(connection: asyncpg.Connection, build: Build, schema: str) -> None:
    """Forget *build* and what it holds."""
    async with connection.transaction():
        await _drop(connection, build.name, [build.build], schema)


async def _drop(
    connection: asyncpg.Connection, name: str, numbers: Sequence[int], schema: str
) -> None:
    for row in await connection.fetch(statement("projection_drop"), name, numbers):
        await _drop_tables(connection, row["tables"], schema)


async def _drop_tables(connection: asyncpg.Connection, names: Sequence[str], schema: str) -> None:
    for name in names:
        await connection.execute(f"drop table if exists {quoted(schema)}.{quoted(name)}")


async def _show(
    connection: asyncpg.Connection, projection: Projection, build: Build, schema: str
) -> None:
    """Have the views, plainly named, show *build*."""
    for declared, table in zip(projection.tables, build.tables, strict=True):
        view = f"{quoted(schema)}.{quoted(declared.name)}"
        shows = f"view {view} as table {quoted(schema)}.{quoted(table)}"
        try:
            async with connection.transaction():
                await connection.execute(f"create or replace {shows}")
        except asyncpg.InvalidTableDefinitionError:
            await connection.execute(f"drop view {view}")
            await connection.execute(f"create {shows}")


def _named(table: Table, name: str, schema: str) -> Table:
    copy = table.to_metadata(MetaData(), schema=schema, name=name)
    for column in copy.columns:
        if isinstance(column.type, String) and column.type.collation is None:
            column.type = column.type.adapt(type(column.type), collation="C")
    for number, index in enumerate(sorted(copy.indexes, key=lambda index: str(index.name)), 1):
        index.name = quoted_name(f"{name}_{number}", quote=None)
    _unname(copy.constraints)
    return copy


def _unname(constraints: Iterable[Constraint]) -> None:
    """Let PostgreSQL name *constraints*: names are taken by the builds before."""
    for constraint in constraints:
        constraint.name = None
