"""Versions side by side: what is read, who needs it, what is dropped and what is accepted."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack

import asyncpg
import pytest

from tests.projection.conftest import Folding
from tests.projection.versions import becomes, counting, shown_by_the_view
from tests.projection.world import COUNTS, PARCELS, create, table
from treering.errors import ReadModelAway, StoreNotReady
from treering.projection import Projection, prune
from treering.projection.announcing import rebuild_lock
from treering.projection.build import begin, builds, drop
from treering.projection.ground import Ground
from treering.projection.takeup import show_again, take_up
from treering.reading import ReadModels
from treering.store import Reader, Store
from treering.testing.fixtures import Database

FIRST, SECOND, THIRD = counting("one"), counting("two"), counting("three")

type Reading = Callable[[Projection], ReadModels]


@pytest.fixture
async def reading(reader: Reader) -> AsyncGenerator[Reading]:
    """Return what opens a version as a gateway that declares it does."""
    async with AsyncExitStack() as stack:

        def opened(version: Projection) -> ReadModels:
            models = ReadModels(reader, [version])
            stack.push_async_callback(models.close)
            return models

        yield opened


async def there(database: Database) -> set[str]:
    """Return the versions of which there are builds."""
    return {row["version"] for row in await table(database, "projection")}


async def built(store: Store, folding: Folding, models: ReadModels, version: Projection) -> None:
    """Have *version* folded until it is live."""
    async with folding([version]):
        await becomes(models, "live")
        assert await models.wait("counts", await create(store, ["tea"]), 10)


async def test_an_older_release_that_starts_again_leaves_the_view_to_the_newer_one(
    store: Store, folding: Folding, reading: Reading, database: Database
) -> None:
    first, second = reading(FIRST), reading(SECOND)
    await built(store, folding, first, FIRST)
    async with folding([SECOND]):
        await becomes(second, "live")
        for _ in range(2):
            async with folding([FIRST], rollback_seconds=0.1):
                last = await create(store, ["tea"])
                assert await first.wait("counts", last, 10)
                assert await second.wait("counts", last, 10)
                async with asyncio.timeout(3):
                    with pytest.raises(TimeoutError):
                        await shown_by_the_view(database, FIRST, 1.5)
                assert await shown_by_the_view(database, SECOND)


async def test_what_no_projector_has_begun_to_build_can_not_be_read_yet(
    store: Store, folding: Folding, reading: Reading
) -> None:
    await built(store, folding, reading(FIRST), FIRST)
    with pytest.raises(ReadModelAway, match="is not built for this release yet"):
        await reading(SECOND).list("counts")


async def test_when_the_newer_release_is_gone_the_view_shows_the_older_one_again(
    store: Store, folding: Folding, reading: Reading, database: Database
) -> None:
    first, second = reading(FIRST), reading(SECOND)
    await built(store, folding, first, FIRST)
    async with folding([FIRST], rollback_seconds=0.5):
        assert await first.wait("counts", await create(store, ["tea"]), 10)
        async with folding([SECOND]):
            await becomes(second, "live")
            assert await shown_by_the_view(database, SECOND)
        assert await shown_by_the_view(database, FIRST)
        async with folding([SECOND]):
            assert await shown_by_the_view(database, SECOND)


async def test_what_somebody_declares_is_kept_when_another_version_is_taken_up(
    store: Store, folding: Folding, reading: Reading, database: Database
) -> None:
    first, second, third = reading(FIRST), reading(SECOND), reading(THIRD)
    await built(store, folding, first, FIRST)
    await built(store, folding, second, SECOND)
    await first.close()
    await second.close()
    await built(store, folding, third, THIRD)
    assert await there(database) == {SECOND.version, THIRD.version}
    again = reading(SECOND)
    assert await again.wait("counts", 1, 10)
    fourth = counting("four")
    await built(store, folding, reading(fourth), fourth)
    assert await there(database) == {SECOND.version, THIRD.version, fourth.version}


async def test_a_build_that_was_only_begun_does_not_drive_out_one_that_is_live(
    store: Store,
    folding: Folding,
    reading: Reading,
    ground: Ground,
    connection: asyncpg.Connection,
    database: Database,
) -> None:
    first, third = reading(FIRST), reading(THIRD)
    await built(store, folding, first, FIRST)
    await first.close()
    await begin(connection, SECOND, ground.schema)
    await built(store, folding, third, THIRD)
    assert await there(database) == {FIRST.version, THIRD.version}


async def test_prune_drops_what_nobody_needs_and_says_who_needs_the_rest(
    store: Store, folding: Folding, reading: Reading, ground: Ground, database: Database
) -> None:
    first, second = reading(FIRST), reading(SECOND)
    await built(store, folding, first, FIRST)
    await built(store, folding, second, SECOND)
    found = await prune(ground, [SECOND])
    assert not found.dropped
    ((kept, why),) = found.kept
    assert (kept.version, why.startswith("needed by gateway, process ")) == (FIRST.version, True)
    await first.close()
    async with folding([FIRST]):
        await becomes(reading(FIRST), "live")
        ((_, why),) = (await prune(ground, [SECOND])).kept
        assert why.startswith("needed by projector, process ")
    async with asyncio.timeout(10):
        while not (found := await prune(ground, [SECOND])).dropped:
            await asyncio.sleep(0.05)
    assert [each.version for each in found.dropped] == [FIRST.version]
    assert await there(database) == {SECOND.version}
    assert await shown_by_the_view(database, SECOND)


async def test_prune_keeps_what_is_read_until_this_release_is_taken_up(
    store: Store, folding: Folding, reading: Reading, ground: Ground
) -> None:
    first = reading(FIRST)
    await built(store, folding, first, FIRST)
    await first.close()
    ((kept, why),) = (await prune(ground, [SECOND])).kept
    assert (kept.version, why) == (
        FIRST.version,
        "it is read until counts of this release is taken up",
    )


async def test_prune_drops_read_models_that_no_release_has_and_rebuilds_that_were_killed(
    store: Store,
    folding: Folding,
    models: ReadModels,
    ground: Ground,
    connection: asyncpg.Connection,
    database: Database,
) -> None:
    async with folding():
        assert await models.wait("counts", await create(store, ["tea"]), 10)
        await models.wait("parcels", 1, 10)
    await models.close()
    await begin(connection, PARCELS, ground.schema)
    async with asyncio.timeout(10):
        while len((await prune(ground, [PARCELS])).dropped) < 2:
            await asyncio.sleep(0.05)
    assert [row["name"] for row in await table(database, "projection")] == ["parcels"]
    with pytest.raises(asyncpg.UndefinedTableError):
        await table(database, "counts")


async def test_a_view_that_is_being_read_is_moved_when_it_is_not(
    store: Store, folding: Folding, reading: Reading, database: Database
) -> None:
    first, second = reading(FIRST), reading(SECOND)
    await built(store, folding, first, FIRST)
    await built(store, folding, second, SECOND)
    connection = await asyncpg.connect(database.reader)
    schema = store.namespace.replace("-", "_")
    async with folding([FIRST], rollback_seconds=0.1):
        async with connection.transaction():
            await connection.fetch(f'table "{schema}_read".counts')
            for _ in range(20):
                last = await create(store, ["tea"])
                assert await first.wait("counts", last, 10)
            rows = await connection.fetch(f'table "{schema}_read".counts')
            assert "two" in rows[0]
        assert await shown_by_the_view(database, FIRST)
    await connection.close()


async def test_a_rebuild_that_runs_is_not_pruned(
    store: Store,
    folding: Folding,
    models: ReadModels,
    ground: Ground,
    connection: asyncpg.Connection,
) -> None:
    async with folding([COUNTS]):
        assert await models.wait("counts", await create(store, ["tea"]), 10)
    lock = rebuild_lock(ground.schema, "counts")
    await connection.execute("select pg_advisory_lock(hashtextextended($1, 0))", lock)
    await begin(connection, COUNTS, ground.schema)
    assert not (await prune(ground, [COUNTS])).dropped


async def test_a_build_that_was_dropped_can_not_be_taken_up(
    ground: Ground, connection: asyncpg.Connection
) -> None:
    build = await begin(connection, COUNTS, ground.schema)
    await drop(connection, "counts", [build.build], ground.schema)
    with pytest.raises(StoreNotReady, match="Build 1 of counts is gone"):
        await take_up(connection, build, ground.schema)


async def test_an_older_version_is_not_shown_while_a_newer_one_is_folded(
    store: Store, folding: Folding, reading: Reading, ground: Ground, connection: asyncpg.Connection
) -> None:
    await built(store, folding, reading(FIRST), FIRST)
    async with folding([SECOND]):
        await becomes(reading(SECOND), "live")
        older = min(await builds(connection, ["counts"]), key=lambda each: each.born)
        assert not await show_again(connection, older, ground.schema)
        await take_up(connection, older, ground.schema)
        seen = [each.build for each in await builds(connection, ["counts"]) if each.is_shown]
    assert seen == [2]
