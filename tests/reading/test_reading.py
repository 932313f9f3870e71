"""What a gateway asks of read models: rows as JSON text, how far they are, and to be told."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from time import monotonic
from typing import Any

import asyncpg
import pytest
from sqlalchemy import BigInteger, Column, Date, Double, MetaData, Numeric, Table, Text

from tests.projection.conftest import Folding
from tests.projection.world import (
    COUNTS,
    PARCELS,
    REGISTRY,
    append,
    becomes_live,
    create,
    fields,
    odds,
    shown,
)  # fmt: skip
from treering.entity import Created, Deleted
from treering.errors import DeclarationError, StoreNotReady
from treering.message import Recorded
from treering.projection import Change, Projection, put, rebuild
from treering.query import QueryOptions
from treering.reading import ReadModels
from treering.store import Reader, Store
from treering.testing.fixtures import Database

numbers = Table(
    "numbers",
    MetaData(),
    Column("number", BigInteger, primary_key=True),
    Column("half", Double),
    Column("exact", Numeric),
    Column("day", Date),
    Column("_hidden", Text),
)


def number(recorded: Recorded[Any]) -> Iterable[Change]:
    n = recorded.position
    day = recorded.recorded_at.date()
    yield put(numbers, {"number": n, "half": n / 2, "exact": n, "day": day, "_hidden": "x"})
    yield put(odds, {"part": "a", "number": n})


NUMBERS = Projection(name="numbers", tables=[numbers, odds], fold=number, kinds={"parcel"})
ODDS = Projection(
    name="odds",
    tables=[odds, numbers],
    fold=number,
    kinds={"parcel"},
    filterable={"part", "number"},
)


@pytest.fixture
async def five(store: Store, reader: Reader, folding: Folding) -> AsyncGenerator[ReadModels]:
    """Have parcels a to e, of which c is deleted."""
    for name in "edcba":
        await append(store, f"parcel/{name}", Created(fields=fields(name)))
    last = await append(store, "parcel/c", Deleted(), after=1)
    models = ReadModels(reader, [PARCELS])
    async with folding([PARCELS]):
        assert await models.wait("parcels", last, 20)
    yield models
    await models.close()


async def test_a_list_is_in_the_order_of_ids_without_what_is_deleted(five: ReadModels) -> None:
    found = await five.list("parcels")
    assert ([row["id"] for row in shown(found.items)], found.total) == (["a", "b", "d", "e"], 4)


async def test_a_list_shows_what_is_deleted_when_asked_to(five: ReadModels) -> None:
    found = await five.list("parcels", QueryOptions(include_deleted=True))
    deleted = [row["id"] for row in shown(found.items) if "deleted_at" in row]
    assert (deleted, found.total) == (["c"], 5)


@pytest.mark.parametrize(
    ("page", "ids"), [(1, ["a", "b", "d"]), (2, ["e"]), (3, [])], ids=["first", "last", "beyond"]
)
async def test_a_page_is_part_of_the_list_and_knows_the_total(
    five: ReadModels, page: int, ids: list[str]
) -> None:
    found = await five.list("parcels", QueryOptions(limit=3, offset=3 * (page - 1)))
    assert ([row["id"] for row in shown(found.items)], found.total) == (ids, 4)


async def test_one_row_is_found_by_its_id_unless_it_is_deleted(five: ReadModels) -> None:
    assert shown(await five.get("parcels", "a"))["name"] == "a"
    assert await five.get("parcels", "c") is None
    assert shown(await five.get("parcels", "c", include_deleted=True))["deleted_at"]
    assert await five.get("parcels", "nobody") is None


async def test_numbers_and_dates_are_json_too(
    store: Store, reader: Reader, folding: Folding
) -> None:
    models = ReadModels(reader, [NUMBERS])
    async with folding([NUMBERS]):
        assert await models.wait("numbers", await create(store, ["tea", "tea"]), 20)
    row = shown(await models.get("numbers", "2"))
    day = row.pop("day")
    assert repr(row) == "{'number': 2, 'half': 1.0, 'exact': 2.0}"
    assert len(day) == len("2026-01-01")
    assert await models.get("numbers", "two") is None
    await models.close()


async def test_a_table_with_two_keys_is_listed_but_has_no_single_ids(
    store: Store, reader: Reader, folding: Folding
) -> None:
    models = ReadModels(reader, [ODDS])
    async with folding([ODDS]):
        assert await models.wait("odds", await create(store, ["tea", "tea"]), 20)
    assert [row["number"] for row in shown((await models.list("odds")).items)] == [1, 2]
    with pytest.raises(DeclarationError, match="part, number"):
        await models.get("odds", "a")
    await models.close()


async def test_what_is_not_there_is_named(store: Store, models: ReadModels) -> None:
    with pytest.raises(DeclarationError, match="no read model 'cats'"):
        await models.list("cats")
    with pytest.raises(StoreNotReady, match="'parcels' is not built yet"):
        await models.list("parcels")
    last = await create(store, ["tea"])
    found = await models.status()
    assert [(each.state, each.build, each.lag) for each in found] == [("behind", 0, last)] * 2


async def test_waiting_ends_when_its_time_is_over(models: ReadModels) -> None:
    began = monotonic()
    assert not await models.wait("parcels", 1, 0.2)
    assert 0.2 <= monotonic() - began < 5


async def test_waiting_for_what_is_there_takes_no_time(
    store: Store, models: ReadModels, folding: Folding
) -> None:
    last = await create(store, ["tea"])
    async with folding():
        assert await models.wait("parcels", last, 20)
    assert await models.wait("parcels", last, 0.001)


async def test_waiting_for_a_stopped_read_model_ends_at_once(
    store: Store, models: ReadModels, folding: Folding
) -> None:
    await create(store, ["bad"])
    async with folding():
        began = monotonic()
        assert not await models.wait("counts", 1, 60)
        assert monotonic() - began < 30


async def test_waiting_goes_on_when_nothing_is_heard_any_more(
    store: Store, models: ReadModels, folding: Folding, database: Database
) -> None:
    async with folding():
        assert await models.wait("parcels", await create(store, ["tea"]), 20)
        connection = await asyncpg.connect(database.owner)
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where usename = 'treering_reader' and query ilike 'listen%'"
        )
        await connection.close()
        for _ in range(3):
            assert await models.wait("parcels", await create(store, ["tea"]), 20)


async def test_reading_does_not_notice_a_rebuild(
    store: Store, models: ReadModels, folding: Folding
) -> None:
    last = await create(store, ["tea"])
    async with folding():
        assert await models.wait("counts", last, 20)
        assert await becomes_live(models, "counts")
        building = asyncio.create_task(rebuild(store, REGISTRY, COUNTS, namespace=store.namespace))
        while not building.done():
            assert shown(await models.get("counts", "tea"))["parcels"] == 1
        await building
        assert shown(await models.get("counts", "tea"))["parcels"] == 1
