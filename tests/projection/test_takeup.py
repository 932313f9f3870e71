"""A build takes its place, whoever reads, writes or has made something of what it replaces."""

import asyncio
from collections.abc import AsyncGenerator

import asyncpg
import pytest
from structlog.testing import capture_logs

from tests.projection.conftest import Folding
from tests.projection.versions import becomes, counting, shown_by_the_view
from tests.projection.world import COUNTS, REGISTRY, becomes_live, create, table
from treering.projection import Projection, prune, rebuild
from treering.projection.build import begin, builds
from treering.projection.ground import Ground
from treering.projection.takeup import take_up
from treering.reading import ReadModels
from treering.store import Reader, Store
from treering.testing.fixtures import Database

FIRST, SECOND = counting("one"), counting("two")


@pytest.fixture
async def other(database: Database) -> AsyncGenerator[asyncpg.Connection]:
    """Be somebody else at the tables."""
    connection = await asyncpg.connect(database.owner)
    await connection.execute(f"set search_path to {database.namespace.replace('-', '_')}_read")
    yield connection
    await connection.close()


async def built(store: Store, reader: Reader, folding: Folding, *versions: Projection) -> None:
    """Have each version built after the other."""
    for version in versions:
        models = ReadModels(reader, [version])
        async with folding([version]):
            await becomes(models, "live")
            assert await models.wait("counts", await create(store, ["tea"]), 10)
        await models.close()


async def test_who_writes_the_old_build_does_so_in_peace_while_the_new_one_is_taken_up(
    store: Store,
    folding: Folding,
    models: ReadModels,
    ground: Ground,
    connection: asyncpg.Connection,
    other: asyncpg.Connection,
) -> None:
    async with folding([COUNTS]):
        assert await models.wait("counts", await create(store, ["tea"]), 10)
        assert await becomes_live(models, "counts")
    new = await begin(connection, COUNTS, ground.schema)
    (old,) = [each for each in await builds(connection, ["counts"]) if each.serves]
    async with other.transaction(), asyncio.timeout(5):
        await other.execute(f"update {old.tables[0]} set parcels = 1")  # noqa: S608 - ours
        taking = asyncio.create_task(take_up(connection, new, ground.schema))
        while not await is_live(other, new.build) and not taking.done():
            await asyncio.sleep(0.01)
        await other.execute("set local lock_timeout = '1s'")
        await other.execute("update projection set reason = null where build = 1")
        await taking
    assert {each.build for each in await builds(connection, ["counts"])} == {1, 2}
    assert [each.build for each in (await prune(ground, [COUNTS])).dropped] == [1]


async def is_live(connection: asyncpg.Connection, build: int) -> bool:
    """Say whether *build* has its place, as everybody sees it."""
    sql = "select state = 'live' from projection where build = $1"
    return bool(await connection.fetchval(sql, build))


async def test_a_rebuild_waits_for_who_reads_the_old_build_and_loses_nothing(
    store: Store, folding: Folding, models: ReadModels, other: asyncpg.Connection
) -> None:
    async with folding([COUNTS]):
        assert await models.wait("counts", await create(store, ["tea"]), 10)
        assert await becomes_live(models, "counts")
        with capture_logs() as said:
            async with asyncio.timeout(20), other.transaction():
                await other.fetch("table counts")
                rebuilding = asyncio.create_task(
                    rebuild(store, REGISTRY, COUNTS, namespace=store.namespace)
                )
                while [each["event"] for each in said].count("read model waits") < 2:
                    await asyncio.sleep(0.01)
                last = await create(store, ["tea"])
                assert await models.wait("counts", last, 10)
            rebuilt = await rebuilding
        assert (rebuilt.is_taken_up, rebuilt.position) == (True, last)
        assert await models.wait("counts", await create(store, ["tea"]), 10)


async def test_what_somebody_made_of_a_view_holds_up_neither_take_up_nor_projector(
    store: Store,
    reader: Reader,
    folding: Folding,
    other: asyncpg.Connection,
    database: Database,
) -> None:
    await built(store, reader, folding, FIRST)
    await other.execute("create view mine as table counts")
    models = ReadModels(reader, [SECOND])
    with capture_logs() as said:
        async with folding([SECOND]):
            await becomes(models, "live")
            while "view stays" not in [each["event"] for each in said]:
                await asyncio.sleep(0.01)
            for _ in range(20):
                assert await models.wait("counts", await create(store, ["tea"]), 10)
            (status,) = await models.status()
            assert "cannot drop view" in str(status.reason)
            assert "one" in (await table(database, "counts"))[0]
            await other.execute("drop view mine")
            assert await shown_by_the_view(database, SECOND)
            (status,) = await models.status()
            assert status.reason is None
    assert "projector begins again" not in [each["event"] for each in said]
    await models.close()


async def test_who_was_allowed_to_read_a_view_still_is_when_its_columns_have_changed(
    store: Store, reader: Reader, folding: Folding, other: asyncpg.Connection, database: Database
) -> None:
    await built(store, reader, folding, FIRST)
    await other.execute("grant select on counts to public")
    await built(store, reader, folding, SECOND)
    assert await shown_by_the_view(database, SECOND)
    sql = "select 0::oid = any(select (aclexplode(relacl)).grantee from pg_class where oid = $1)"
    oid = await other.fetchval("select 'counts'::regclass::oid")
    assert await other.fetchval(sql, oid)


async def test_the_view_goes_back_after_each_rollback(
    store: Store, reader: Reader, folding: Folding, database: Database
) -> None:
    await built(store, reader, folding, FIRST)
    async with folding([FIRST], rollback_seconds=0.1):
        for _ in range(2):
            async with folding([SECOND]):
                assert await shown_by_the_view(database, SECOND)
            assert await shown_by_the_view(database, FIRST)
