"""What counts as a difference between two tables."""

from typing import Any

import asyncpg
import pytest
from sqlalchemy import JSON, REAL, BigInteger, Column, Double, MetaData, Table, Text
from sqlalchemy.types import TypeEngine

from treering.projection import Projection
from treering.projection.build import Build, begin, in_schema
from treering.projection.comparison import compare
from treering.projection.ground import Ground


def things(type_: TypeEngine[Any], *, key: TypeEngine[Any] | None = None) -> Projection:
    """Return a read model with a value of that type in each row."""
    own = Table(
        "things",
        MetaData(),
        Column("number", key or BigInteger(), primary_key=True),
        Column("the value", type_),
    )
    return Projection(name="things", tables=[own], fold=lambda _: (), kinds={"parcel"})


async def build(
    ground: Ground, connection: asyncpg.Connection, declared: Projection, *values: Any
) -> Build:
    """Return a build with a row for each of *values*."""
    made = await begin(connection, declared, ground.schema)
    await put(connection, in_schema(ground.schema, made.tables[0]), *enumerate(values, 1))
    return made


async def put(connection: asyncpg.Connection, table: str, *rows: tuple[Any, Any]) -> None:
    """Put *rows* into the table."""
    sql = f"insert into {table} values ($1, $2)"  # noqa: S608 - our own name
    await connection.executemany(sql, rows)


VALUES: list[tuple[TypeEngine[Any], Any, Any, bool]] = [
    (Text(), "a", "a", True),
    (Text(), "a", "b", False),
    (Text(), None, "b", False),
    (Text(), None, None, True),
    (JSON(), '{"a": "\\u0000"}', '{"a": "\\u0000"}', True),
    (JSON(), '{"a": 1}', '{"a": 2}', False),
    (Double(), 0.1 + 0.2, 0.3, True),
    (Double(), 0.1 + 0.2 - 0.3, 0.0, True),
    (Double(), -1e-17, 1e-17, True),
    (Double(), 1.0, -1.0, False),
    (Double(), 1e15, 1e15 + 1, True),
    (Double(), 1.0, 1.0001, False),
    (Double(), 1.0, None, False),
    (Double(), None, 1.0, False),
    (Double(), None, None, True),
    (Double(), float("inf"), float("inf"), True),
    (Double(), float("inf"), 1.0, False),
    (Double(), float("nan"), float("nan"), True),
    (Double(), float("nan"), 1.0, False),
    (Double(), 1.7e308, -1.7e308, False),
    (REAL(), 0.1 + 0.2, 0.3, True),
    (REAL(), 0.1, 0.2, False),
]


@pytest.mark.parametrize(("type_", "one", "two", "is_same"), VALUES)
async def test_values_are_compared_as_what_they_are(
    ground: Ground,
    connection: asyncpg.Connection,
    type_: TypeEngine[Any],
    one: Any,
    two: Any,
    *,
    is_same: bool,
) -> None:
    old = await build(ground, connection, things(type_), one)
    new = await build(ground, connection, things(type_), two)
    said = await compare(connection, old, new, ground.schema)
    assert said == ("" if is_same else "1 row of things, such as number=1 (the value)")


async def test_rows_that_only_one_has_are_told_of(
    ground: Ground, connection: asyncpg.Connection
) -> None:
    one = await build(ground, connection, things(Text()), "a")
    two = await build(ground, connection, things(Text()), "a", "b")
    said = await compare(connection, one, two, ground.schema)
    assert said == "1 row of things, such as number=2 (only in the new one)"
    said = await compare(connection, two, one, ground.schema)
    assert said == "1 row of things, such as number=2 (only in the old one)"


async def test_of_many_rows_some_are_told_of(
    ground: Ground, connection: asyncpg.Connection
) -> None:
    one = await build(ground, connection, things(Text()), *(["a"] * 2000))
    two = await build(ground, connection, things(Text()), *(["b"] * 2000))
    said = await compare(connection, one, two, ground.schema)
    assert said.startswith(
        "2,000 rows of things, such as number=1 (the value), number=2 (the value)"
    )


@pytest.mark.parametrize("key", [Text(), None])
async def test_what_only_one_declares_is_no_difference(
    ground: Ground, connection: asyncpg.Connection, key: TypeEngine[Any] | None
) -> None:
    one = await build(ground, connection, things(Text()), "a")
    two = await begin(connection, things(BigInteger(), key=key), ground.schema)
    if key is None:
        table = in_schema(ground.schema, two.tables[0])
        await put(connection, table, (1, 5))
    assert await compare(connection, one, two, ground.schema) == ""


async def test_another_key_can_not_be_compared(
    ground: Ground, connection: asyncpg.Connection
) -> None:
    one = await build(ground, connection, things(Text()), "a")
    other = Table("things", MetaData(), Column("id", BigInteger, primary_key=True))
    other_too = Table("more", MetaData(), Column("id", BigInteger, primary_key=True))
    two = await begin(
        connection,
        Projection(name="things", tables=[other, other_too], fold=lambda _: (), kinds={"parcel"}),
        ground.schema,
    )
    assert await compare(connection, one, two, ground.schema) == ""


async def test_a_long_key_is_told_of_in_short(
    ground: Ground, connection: asyncpg.Connection
) -> None:
    one = await begin(connection, things(Text(), key=Text()), ground.schema)
    two = await begin(connection, things(Text(), key=Text()), ground.schema)
    table = in_schema(ground.schema, two.tables[0])
    await put(connection, table, ("k" * 100, "a"))
    said = await compare(connection, one, two, ground.schema)
    assert said == f"1 row of things, such as number={'k' * 60}… (only in the new one)"
