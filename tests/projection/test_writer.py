"""One statement for each kind of change: what it leaves in the table is what the changes say."""

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import BigInteger, Column, MetaData, String, Table, Text

from tests.projection.test_change import batches
from tests.projection.world import counts, odds
from treering.errors import BadRequest
from treering.projection import Change, Net, Projection, apply, increment, patch, put
from treering.projection.build import Build, begin, tables_of
from treering.projection.change import Key, Row
from treering.projection.ground import Ground
from treering.projection.writer import Writer

shared = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # one table for all examples; each takes back what it wrote


async def made(ground: Ground, connection: asyncpg.Connection, table: Table) -> Table:
    """Return the built table of a read model of *table*."""
    model = Projection(name="odds", tables=[table], fold=lambda _: (), kinds={"parcel"})
    build: Build = await begin(connection, model, ground.schema)
    return tables_of(model, build, ground.schema)[table]


@pytest.fixture
async def table(ground: Ground, connection: asyncpg.Connection) -> Table:
    return await made(ground, connection, odds)


async def rows(connection: asyncpg.Connection, table: Table) -> dict[Key, Row]:
    """Return what is in *table*."""
    writer = Writer(table)
    found = await connection.fetch(f'table "{table.schema}"."{table.name}"')
    keys = [column.name for column in table.primary_key.columns]
    return {tuple(row[key] for key in keys): writer.row(row) for row in found}


@shared
@given(batches, batches)
async def test_what_is_written_is_what_the_changes_do_one_by_one(
    connection: asyncpg.Connection, table: Table, first: list[Change], second: list[Change]
) -> None:
    transaction = connection.transaction()
    await transaction.start()
    writer = Writer(table)
    for batch in (first, second):
        await writer.write(connection, Net(batch).tables.get(odds, {}))
    found = await rows(connection, table)
    await transaction.rollback()
    assert found == apply([*first, *second], {"odds": {}})["odds"]


@shared
@given(batches)
async def test_what_is_copied_is_what_is_written(
    connection: asyncpg.Connection, table: Table, batch: list[Change]
) -> None:
    transaction = connection.transaction()
    await transaction.start()
    await Writer(table).copy(connection, Net(batch).tables.get(odds, {}))
    found = await rows(connection, table)
    await transaction.rollback()
    assert found == apply(batch, {"odds": {}})["odds"]


async def test_a_batch_takes_one_statement_for_each_kind_of_change(
    ground: Ground, connection: asyncpg.Connection
) -> None:
    table = await made(ground, connection, counts)
    said: list[str] = []
    batch = [
        *(put(counts, {"name": f"put {n}"}) for n in range(50)),
        *(increment(counts, f"count {n}", {"parcels": n}) for n in range(50)),
        *(patch(counts, f"patch {n}", {"pieces": n}) for n in range(50)),
        *(patch(counts, f"patch {n}", {"parcels": n}) for n in range(20)),
    ]
    with connection.query_logger(lambda query: said.append(query.query)):
        await Writer(table).write(connection, Net(batch).tables[counts])
        await connection.execute("select")  # what was logged is told with the next answer
    words = [sql.split()[0] for sql in said if table.name in sql]
    assert words == ["UPDATE", "INSERT", "INSERT"]


@pytest.mark.parametrize(
    "value", ["x" * 11, 5, "\0"], ids=["longer than its column", "no text", "with a NUL"]
)
async def test_a_value_that_the_column_can_not_take_is_refused(
    ground: Ground, connection: asyncpg.Connection, value: object
) -> None:
    short = Table(
        "short", MetaData(), Column("id", BigInteger, primary_key=True), Column("x", String(10))
    )
    table = await made(ground, connection, short)
    net = Net([put(short, {"id": 1, "x": value})])
    for write in (Writer(table).write, Writer(table).copy):
        with pytest.raises(BadRequest):
            async with connection.transaction():
                await write(connection, net.tables[short])


async def test_a_function_that_raises_is_refused(
    ground: Ground, connection: asyncpg.Connection
) -> None:
    writer = Writer(await made(ground, connection, odds))
    key = {"part": "a", "number": 1}
    await writer.write(connection, Net([put(odds, key)]).tables[odds])
    net = Net([patch(odds, key, {"items": len})])
    with pytest.raises(BadRequest, match="TypeError"):
        await writer.write(connection, net.tables[odds])


async def test_a_table_of_keys_alone_takes_them_once(
    ground: Ground, connection: asyncpg.Connection
) -> None:
    names = Table("names", MetaData(), Column("name", Text, primary_key=True))
    table = await made(ground, connection, names)
    for _ in range(2):
        await Writer(table).write(connection, Net([put(names, {"name": "a"})]).tables[names])
    assert list(await rows(connection, table)) == [("a",)]


async def test_an_increment_leaves_alone_what_a_row_needs(
    ground: Ground, connection: asyncpg.Connection
) -> None:
    strict = Table(
        "strict",
        MetaData(),
        Column("id", Text, primary_key=True),
        Column("label", Text, nullable=False),
        Column("amount", BigInteger),
    )
    built = await made(ground, connection, strict)
    writer = Writer(built)
    for change in (put(strict, {"id": "a", "label": "x"}), increment(strict, "a", {"amount": 2})):
        await writer.write(connection, Net([change]).tables[strict])
    found = await connection.fetchrow(f"select label, amount from {built}")  # noqa: S608 - ours
    assert found is not None
    assert tuple(found) == ("x", 2)
