"""Builds: the tables of one version of a read model, made, noted and dropped.

`datasets_3f2a_2` is the second build of the read model that has the table `datasets`, of the
version 3f2a…; the view `datasets` shows the one that is current. All of it lies in a schema of its
own, with one more table, `projection`, that says where each build stands.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

import asyncpg
from sqlalchemy import Constraint, MetaData, String, Table
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql import quoted_name

from treering.message import Position
from treering.projection.advised import make_again
from treering.projection.declaration import Projection
from treering.sql import statement
from treering.store.connecting import quoted, schema_of

type State = Literal["building", "live", "stopped"]

_DIALECT = dialect()
LOCK = "select pg_advisory_xact_lock(hashtextextended($1, 0))"
"""Until the transaction ends: who changes which builds there are does it alone."""


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
    also: Sequence[str] = ()
    """Other versions that it stands for, as an operator has said."""
    born: int = 0
    """The first build of its version: a greater one is of a version that came later."""
    differs: str | None = None
    """How it differs from what it is to replace: empty if it does not, None: not compared yet."""
    is_ours: bool = True
    """Whether it is of this store, and not of one that was there before."""
    serves: bool = False
    """Whether it was taken up, and is ours."""
    is_shown: bool = False
    """Whether the plainly named view shows it."""
    hindered: str | None = None
    """Why it does not, although it should."""
    started_from: Position = 0
    """Where whoever brings it to the head has begun."""
    reached: Position | None = None
    """How far that one is, with what is not written yet."""
    seconds: float | None = None
    """Since that one began; None if it has not been heard of for long."""

    @property
    def id(self) -> tuple[str, int]:
        """The read model's name and the build's number."""
        return self.name, self.build

    @property
    def is_held(self) -> bool:
        """Whether it differs from what it is to replace, and waits for an operator."""
        return bool(self.differs) and not self.serves

    def stands_for(self, version: str) -> bool:
        """Say whether it is what *version* declares."""
        return version == self.version or version in self.also


def schema_for(namespace: str) -> str:
    """Return the schema of the read models of *namespace*."""
    return f"{schema_of(namespace)}_read"


def tables_of(projection: Projection, build: Build, schema: str) -> Mapping[Table, Table]:
    """Return the tables of *build* by those declared; text sorts alike wherever they are."""
    names = zip(projection.tables, build.tables, strict=True)
    return {table: _named(table, name, schema) for table, name in names}


async def prepare(connection: asyncpg.Connection, schema: str) -> None:
    """Make the table in which builds are noted, once; other releases may be reading it."""
    if await connection.fetchval(statement("projection_is_grown"), "noted_at"):
        return
    async with connection.transaction():
        await connection.execute("set local lock_timeout = '2s'")
        await connection.execute(LOCK, f"{schema} projections")
        await connection.execute(statement("projection_table"))
        is_told = await connection.fetchval(statement("projection_is_grown"), "taken_up_at")
        await connection.execute(statement("projection_grown"))
        if not is_told:
            await connection.execute(statement("projection_grown_rows"))


async def act_as_owner(connection: asyncpg.Connection) -> None:
    """Make what *connection* makes belong to whose builds there are: their projector writes it."""
    if owner := await connection.fetchval(statement("projection_owner")):
        with suppress(asyncpg.InsufficientPrivilegeError):  # who made a role is not always it
            await connection.execute(f"set role {owner}")


async def builds(connection: asyncpg.Connection, names: Sequence[str] | None) -> list[Build]:
    """Return the builds of the read models called *names*, of all unless given, newest first."""
    return found_in(await connection.fetch(statement("projection_builds"), names))


def found_in(rows: Iterable[Any]) -> list[Build]:
    """Return the builds in *rows*; the row of a store without any is none."""
    fields = Build.__dataclass_fields__
    return [
        Build(**{name: row[name] for name in fields}) for row in rows if row["name"] is not None
    ]


def current(builds: Iterable[Build], version: str) -> Build | None:
    """Return who of *builds*, all of one read model, is *version*: who serves, else the newest."""
    own = [each for each in builds if each.is_ours and each.stands_for(version)]
    return max(own, key=lambda each: (each.serves, each.build), default=None)


async def begin(
    connection: asyncpg.Connection, projection: Projection, schema: str, version: str | None = None
) -> Build:
    """Make a new build, empty, of *version* if that stands for the declared one."""
    plain = [table.name for table in projection.tables]
    async with connection.transaction():
        await connection.execute(LOCK, f"{schema} {projection.name}")
        asked = projection.name, version or projection.version, plain
        number = await connection.fetchval(statement("projection_begin"), *asked)
        found = await builds(connection, [projection.name])
        build = next(each for each in found if each.build == number)
        await _drop_tables(connection, build.tables, schema)
        made = tables_of(projection, build, schema)
        for table in made.values():
            await create(connection, table)
        before = [each.tables[0] for each in found if each.build != number]
        await make_again(connection, made[projection.tables[0]], before, schema)
    return build


async def create(connection: asyncpg.Connection, table: Table) -> None:
    """Make *table* and its indexes."""
    await connection.execute(str(CreateTable(table).compile(dialect=_DIALECT)))
    for index in table.indexes:
        await connection.execute(str(CreateIndex(index).compile(dialect=_DIALECT)))


async def drop(
    connection: asyncpg.Connection, name: str, numbers: Sequence[int], schema: str
) -> None:
    """Forget builds of a read model and what they hold.

    First the tables, then what is noted of them: a projector takes both in this order.
    """
    async with connection.transaction():
        for row in await connection.fetch(statement("projection_tables"), name, numbers):
            await _drop_tables(connection, row["tables"], schema)
        await connection.execute(statement("projection_drop"), name, numbers)


async def _drop_tables(connection: asyncpg.Connection, names: Sequence[str], schema: str) -> None:
    """Drop tables, and views of ours that no newer build has: it has fewer tables."""
    for name in names:
        view, table = in_schema(schema, plain_name(name)), in_schema(schema, name)
        if await connection.fetchval(statement("projection_shows"), view, table):
            await connection.execute(f"drop view {view}")
        await connection.execute(f"drop table if exists {table}")


def plain_name(table: str) -> str:
    """Return the declared name of a build's table."""
    return table.rsplit("_", 2)[0]


def in_schema(schema: str, name: str) -> str:
    """Return the name of a table there, as SQL has it."""
    return f"{quoted(schema)}.{quoted(name)}"


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
