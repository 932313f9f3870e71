"""Advice on indexes: which would help, how they are made, and that a rebuild makes them again."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import asyncpg
from sqlalchemy import JSON, Table

from treering.sql import statement
from treering.store.connecting import quoted

_DECLARE = "no index on a column serves it; have a read model of your own that has it as a column"
_PATTERN = "no index on a column serves this operator; `searchable` finds words"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What to do about a field that is asked for without an index."""

    name: str
    """The read model."""
    field: str
    asked: int
    """How many times it was."""
    ddl: str | None
    """What makes an index for it; None if none would help."""
    index: str
    """What it is called."""
    why: str
    """Why none would, or that there is one."""


def advice_on(
    name: str, table: Table, asked: Mapping[str, int], served: Collection[str]
) -> Iterator[Advice]:
    """Yield what to do about what was *asked* of a build's *table*, the most frequent first.

    *served* are the columns that indexes begin with.
    """
    for field, count in sorted(asked.items(), key=lambda item: (-item[1], item[0])):
        column, _, operator = field.removesuffix("]").partition("[")
        if column.partition(".")[0] not in table.columns:
            continue
        why, sql = "", None
        if "." in column or isinstance(table.columns[column].type, JSON):
            why = _DECLARE
        elif operator:
            why = _PATTERN
        elif column in served:
            why = "there is one"
        else:
            sql = _ddl(table, column, aside=True)
        index = _index(table, column) if sql else ""
        yield Advice(name=name, field=field, asked=count, ddl=sql, index=index, why=why)


def _ddl(table: Table, column: str, *, aside: bool) -> str:
    """Return what makes the index of *column*, *aside* of those who write."""
    name = _index(table, column).rpartition(".")[2]
    of = f"{quoted(table.schema or '')}.{quoted(table.name)}"
    return f"create index {'concurrently ' if aside else ''}{name} on {of} ({quoted(column)})"


def _index(table: Table, column: str) -> str:
    """Return the name of the index of *column*, by which a rebuild knows it."""
    number = [each.name for each in table.columns].index(column) + 1
    return f"{quoted(table.schema or '')}.{quoted(f'{table.name}_a{number}')}"


async def make_again(
    connection: asyncpg.Connection, table: Table, before: Sequence[str], schema: str
) -> None:
    """Make the indexes of *table*, which is empty, that tables *before* it have been advised."""
    for row in await connection.fetch(statement("projection_advised"), quoted(schema), before):
        if row["name"] in table.columns:
            await connection.execute(_ddl(table, row["name"], aside=False))
