"""What the database does not let one read model do holds up no other."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from typing import Any

import asyncpg
import pytest
from sqlalchemy import BigInteger, CheckConstraint, Column, MetaData, Table, Text
from sqlalchemy.types import UserDefinedType

from tests.projection.conftest import Folding
from tests.projection.world import COUNTS, PARCELS, append, becomes_live, create, fields, parcel
from treering.entity import Created, Updated
from treering.message import Recorded
from treering.projection import Change, Projection, increment
from treering.reading import ReadModels
from treering.store import Reader, Store
from treering.testing.fixtures import Database


class Unknown(UserDefinedType[Any]):
    """A type that no PostgreSQL has."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "unheard_of"


@pytest.fixture
async def other(database: Database) -> AsyncGenerator[asyncpg.Connection]:
    """Be somebody else at the tables."""
    connection = await asyncpg.connect(database.owner)
    await connection.execute(f"set search_path to {database.namespace.replace('-', '_')}_read")
    yield connection
    await connection.close()


async def test_a_read_model_whose_tables_can_not_be_made_holds_up_no_other(
    store: Store, models: ReadModels, folding: Folding
) -> None:
    key = Column("id", Text, primary_key=True)
    table = Table("odd", MetaData(), key, Column("_odd", Unknown()))
    odd = Projection(name="odd", tables=[table], fold=COUNTS.fold, kinds={"parcel"})
    async with folding([odd, COUNTS]):
        for _ in range(10):
            assert await models.wait("counts", await create(store, ["tea"]), 10)


async def test_a_read_model_whose_table_is_away_holds_up_no_other_and_comes_back(
    store: Store, models: ReadModels, folding: Folding, other: asyncpg.Connection
) -> None:
    async with folding([PARCELS, COUNTS]):
        last = await create(store, ["tea"])
        assert await models.wait("counts", last, 10)
        assert await becomes_live(models, "counts")
        sql = "select tables[1] from projection where name = 'counts'"
        table = await other.fetchval(sql)
        await other.execute(f"alter table {table} rename to aside")
        for _ in range(10):
            last = await create(store, ["tea"])
            assert await models.wait("parcels", last, 10)
        await other.execute(f"alter table aside rename to {table}")
        assert await models.wait("counts", last, 10)


async def test_what_a_table_checks_is_the_row_and_not_what_is_added_to_it(
    store: Store, reader: Reader, folding: Folding, other: asyncpg.Connection
) -> None:
    left = Table(
        "left",
        MetaData(),
        Column("name", Text, primary_key=True),
        Column("pieces", BigInteger),
        CheckConstraint("pieces >= 0"),
    )

    def fold(recorded: Recorded[Any]) -> Iterable[Change]:
        match recorded.event:
            case Created(fields={"pieces": int(pieces)}):
                yield increment(left, "all", {"pieces": pieces})
            case _:
                yield increment(left, "all", {"pieces": -1})

    model = Projection(name="left", tables=[left], fold=fold, kinds={"parcel"})
    models = ReadModels(reader, [model])
    stream = parcel()
    async with folding([model]), asyncio.timeout(30):
        last = await append(store, stream, Created(fields=fields("tea", pieces=2)))
        assert await models.wait("left", last, 10)
        last = await append(store, stream, Updated(fields={"due": "now"}), after=1)
        assert await models.wait("left", last, 10)
        assert await other.fetchval('select pieces from "left"') == 1
    await models.close()
