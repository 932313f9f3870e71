"""Builds: tables of another version, or made anew, take the place of the old ones."""

import asyncio

import asyncpg
import pytest
from structlog.testing import capture_logs

from tests.projection.conftest import Folding
from tests.projection.versions import counting, shown_by_the_view
from tests.projection.world import (
    COUNTS,
    REGISTRY,
    becomes_live,
    catches_up,
    counted,
    create,
    table,
)  # fmt: skip
from treering.errors import StoreNotReady
from treering.projection import rebuild
from treering.reading import ReadModels
from treering.store import Reader, Store
from treering.testing.fixtures import Database


async def test_a_projector_goes_on_with_what_was_rebuilt(
    store: Store, models: ReadModels, folding: Folding, database: Database
) -> None:
    await create(store, ["tea", "oil"])
    async with folding():
        assert await becomes_live(models, "counts")
        await rebuild(store, REGISTRY, COUNTS, namespace=store.namespace)
        last = await create(store, ["tea"])
        assert await models.wait("counts", last, 10)
    assert await counted(models) == {"oil": 1, "tea": 2}
    assert sorted(row["parcels"] for row in await table(database, "counts")) == [1, 2]


async def test_what_was_never_built_can_not_be_rebuilt(store: Store) -> None:
    with pytest.raises(StoreNotReady, match="nothing to replace"):
        await rebuild(store, REGISTRY, COUNTS, namespace=store.namespace)


async def test_another_version_is_built_beside_the_old_one_and_going_back_costs_nothing(
    store: Store, reader: Reader, folding: Folding, database: Database
) -> None:
    first, second, third = counting("one"), counting("two"), counting("three")
    for version in (first, second, third, second):
        last = await create(store, ["tea"])
        models = ReadModels(reader, [version])
        async with folding([version]):
            assert await models.wait("counts", last, 10)
            assert await shown_by_the_view(database, version)
            async with asyncio.timeout(10):
                while len(await table(database, "projection")) > 2:
                    await asyncio.sleep(0.01)
        await models.close()
    builds = await table(database, "projection")
    assert [(row["build"], row["position"]) for row in builds] == [(3, 3), (2, 4)]


async def test_read_models_of_another_store_are_not_read_and_built_anew(
    store: Store, reader: Reader, models: ReadModels, folding: Folding, database: Database
) -> None:
    last = await create(store, ["tea"])
    async with folding():
        assert await models.wait("counts", last, 10)
    connection = await asyncpg.connect(database.owner)
    await connection.execute(f"set search_path to {store.namespace.replace('-', '_')}_read")
    await connection.execute("update projection set event = 'lost'")
    await connection.close()
    later = ReadModels(reader, [COUNTS])
    assert {each.reason for each in await later.all()} == {"It shows another store than this one."}
    assert not await later.wait("counts", last, 0.1)
    with pytest.raises(StoreNotReady, match="is not built yet"):
        await later.list("counts")
    await later.close()
    async with folding():
        last = await create(store, ["tea"])
        assert await models.wait("counts", last, 10)
    assert [each.build for each in await models.status()] == [2, 2]
    assert await counted(models) == {"tea": 2}


async def test_a_build_waits_until_nobody_reads_what_it_replaces(
    store: Store, models: ReadModels, folding: Folding, database: Database
) -> None:
    async with folding():
        assert await models.wait("counts", await create(store, ["tea"]), 10)
        assert await becomes_live(models, "counts")
    connection = await asyncpg.connect(database.owner)
    await connection.execute(f"set search_path to {store.namespace.replace('-', '_')}_read")
    await connection.execute("update projection set event = 'lost' where name = 'counts'")
    with capture_logs() as said:
        async with folding():
            async with connection.transaction(), asyncio.timeout(20):
                await connection.fetch("table counts")
                while "read model waits" not in [each["event"] for each in said]:
                    await asyncio.sleep(0.01)
                last = await create(store, ["tea"])
                assert await models.wait("parcels", last, 10)
            last = await create(store, ["tea"])
            assert await catches_up(models, last)
            assert await becomes_live(models, "counts")
    await connection.close()
    assert await counted(models) == {"tea": 3}


async def test_what_another_user_rebuilds_is_written_by_the_projector(
    store: Store, models: ReadModels, folding: Folding, database: Database
) -> None:
    async with folding():
        assert await models.wait("counts", await create(store, ["tea"]), 10)
        assert await becomes_live(models, "counts")
        async with await Reader.open(database.owner, namespace=store.namespace) as owner:
            await rebuild(owner, REGISTRY, COUNTS, namespace=store.namespace)
        for _ in range(5):
            assert await models.wait("counts", await create(store, ["tea"]), 10)
    assert await counted(models) == {"tea": 6}
