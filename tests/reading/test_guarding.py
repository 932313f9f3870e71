"""Questions that cost too much are refused, those that take too long are given up."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest

from tests.projection.world import PARCELS
from tests.reading.conftest import table_of
from treering.query import Cursor, Filter, FilterSpec, Grouping, QueryOptions, SortSpec
from treering.reading import ReadModels
from treering.reading.guarding import TooCostly, TooSlow
from treering.store import PoolOptions, Reader
from treering.testing.fixtures import Database

CHEAP = 500
HEAVY = FilterSpec("weight", "gte", 59_999)
LIKE = FilterSpec("name", "ilike", "%x%")


class Counting(Reader):
    """Counts the statements."""

    asked = 0

    async def fetch(self, sql: str, *values: Any) -> list[Any]:
        self.asked += 1
        return await super().fetch(sql, *values)


async def index(database: Database, table: str) -> None:
    connection = await asyncpg.connect(database.owner)
    await connection.execute(f"create index on {table} (weight)")
    await connection.close()


@pytest.mark.parametrize(
    ("filters", "order", "fields"),
    [
        ([HEAVY], [], ["weight"]),
        ([LIKE], [], ["name[ilike]"]),
        ([HEAVY, FilterSpec("pieces", "ne", 1)], ["name"], ["weight", "pieces[ne]", "name"]),
        ([], ["weight"], ["weight"]),
    ],
    ids=["a condition", "a pattern", "several", "an order"],
)
async def test_what_no_index_serves_is_refused_where_it_costs_too_much(
    large: str, reader: Reader, filters: Sequence[Filter], order: Sequence[str], fields: list[str]
) -> None:
    assert large
    models = ReadModels(reader, [PARCELS], cost=CHEAP)
    asked = QueryOptions(filters=filters, sort_by=[*map(SortSpec, order)], limit=5)
    for _ in range(2):
        with pytest.raises(TooCostly, match="no index serves") as refused:
            await models.list("parcels", asked)
        assert refused.value.members["fields"] == fields
    dear = ReadModels(reader, [PARCELS], cost=1e9)
    assert (await dear.list("parcels", asked)).rows <= 5


async def test_what_an_index_serves_is_answered(
    large: str, reader: Reader, database: Database
) -> None:
    await index(database, large)
    models = ReadModels(reader, [PARCELS], cost=CHEAP)
    asked = QueryOptions(filters=[HEAVY], sort_by=[SortSpec("name")])
    assert (await models.list("parcels", asked)).rows == 2
    narrowed = QueryOptions(filters=[LIKE, FilterSpec("id", "eq", "m1")])
    assert (await models.list("parcels", narrowed)).rows == 0
    with pytest.raises(TooCostly):
        await models.groups("parcels", QueryOptions(filters=[LIKE]), Grouping())
    await models.close()


async def test_pages_and_ids_are_never_looked_at_and_others_once(
    large: str, database: Database
) -> None:
    assert large
    async with await Counting.open(database.reader, namespace=database.namespace) as reader:
        models = ReadModels(reader, [PARCELS], cost=1e9)
        await models.get("parcels", "a")
        await models.list("parcels", QueryOptions(limit=5, count="none"))
        reader.asked = 0
        await models.get("parcels", "a")
        await models.list("parcels", QueryOptions(limit=5))
        await models.list("parcels", QueryOptions(limit=5, cursor=Cursor()))
        assert reader.asked == 3
        for value in range(4):
            asked = QueryOptions(filters=[FilterSpec("weight", "lt", value)])
            await models.list("parcels", asked)
        assert reader.asked == 3 + 4 + 2
        await models.close()


async def test_what_takes_too_long_is_given_up(many: ReadModels, database: Database) -> None:
    assert await many.get("parcels", "a")
    pool = PoolOptions(statement=0.2)
    async with await Reader.open(
        database.reader, namespace=database.namespace, pool=pool
    ) as reader:
        models = ReadModels(reader, [PARCELS])
        await models.check("parcels")
        connection = await asyncpg.connect(database.owner)
        await connection.execute("begin")
        await connection.execute(f"lock table {await table_of(database, 'parcels')}")
        with pytest.raises(TooSlow, match="parcels by weight took too long"):
            await models.list("parcels", QueryOptions(filters=[HEAVY]))
        await connection.close()
        assert (await models.list("parcels", QueryOptions(filters=[HEAVY]))).rows == 0
        await models.close()
