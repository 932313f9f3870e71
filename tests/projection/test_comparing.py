"""A build is compared with the one that it is to replace; one that differs is held."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from tests.projection.conftest import Folding
from tests.projection.versions import becomes, counting, shown_by_the_view
from tests.projection.world import COUNTS, REGISTRY, create, shown, skip, table
from treering.errors import ReadModelAway, StoreNotReady
from treering.projection import accept, rebuild
from treering.projection.ground import Ground
from treering.reading import ReadModels
from treering.store import Reader, Store
from treering.testing.fixtures import Database

OLD = counting("old")
NEW = counting("new")
WRONG = counting("wrong", adds=2)


@pytest.fixture
async def old(reader: Reader) -> AsyncGenerator[ReadModels]:
    opened = ReadModels(reader, [OLD])
    yield opened
    await opened.close()


@pytest.fixture
async def new(reader: Reader) -> AsyncGenerator[ReadModels]:
    opened = ReadModels(reader, [NEW])
    yield opened
    await opened.close()


@pytest.fixture
async def wrong(reader: Reader) -> AsyncGenerator[ReadModels]:
    opened = ReadModels(reader, [WRONG])
    yield opened
    await opened.close()


async def parcels(models: ReadModels) -> dict[str, int]:
    return {row["name"]: row["parcels"] for row in shown((await models.list("counts")).items)}


async def test_a_version_that_shows_the_same_takes_its_place_while_the_old_one_moves_on(
    store: Store, folding: Folding, old: ReadModels, new: ReadModels, database: Database
) -> None:
    async with folding([OLD]):
        assert await old.wait("counts", await create(store, ["tea", "oil"]), 10)
        async with folding([NEW]):
            for _ in range(50):
                await create(store, ["tea"])
            await becomes(new, "live")
            last = await create(store, ["tea"])
            assert await new.wait("counts", last, 10)
            assert await old.wait("counts", last, 10)
            assert await shown_by_the_view(database, NEW)
            assert await parcels(old) == await parcels(new) == {"oil": 1, "tea": 52}


async def test_a_version_that_shows_something_else_is_held_and_follows(
    store: Store, folding: Folding, old: ReadModels, wrong: ReadModels, database: Database
) -> None:
    async with folding([OLD]):
        assert await old.wait("counts", await create(store, ["tea", "oil"]), 10)
        async with folding([WRONG]):
            held = await becomes(wrong, "held")
            assert held.reason == "2 rows of counts, such as name=oil (parcels), name=tea (parcels)"
            last = await create(store, ["tea"])
            assert await old.wait("counts", last, 10)
            assert not await wrong.wait("counts", last, 10)
            assert await follows(wrong, last)
            assert await shown_by_the_view(database, OLD)
            with pytest.raises(StoreNotReady, match="counts is held, it is not read yet"):
                await rebuild(store, REGISTRY, WRONG, namespace=store.namespace)
            with pytest.raises(ReadModelAway, match="is held"):
                await wrong.check("counts")
            with pytest.raises(ReadModelAway, match="`treering projections accept counts`"):
                await wrong.list("counts")
        async with folding([WRONG]):
            assert await follows(wrong, await create(store, ["tea"]))
            assert (await becomes(wrong, "held")).reason == held.reason
    assert await parcels(old) == {"oil": 1, "tea": 3}


async def follows(models: ReadModels, position: int) -> bool:
    """See that a held build goes on."""
    async with asyncio.timeout(10):
        while (await models.status())[0].position < position:
            await asyncio.sleep(0.01)
    return True


async def test_what_is_held_is_accepted_and_goes_on(
    store: Store,
    ground: Ground,
    folding: Folding,
    old: ReadModels,
    wrong: ReadModels,
    database: Database,
) -> None:
    async with folding([OLD]):
        assert await old.wait("counts", await create(store, ["tea"]), 10)
    async with folding([WRONG]):
        await becomes(wrong, "held")
        said = await accept(ground, WRONG)
        assert said.startswith("counts is taken up, although it differs: 1 row of counts")
        assert await shown_by_the_view(database, WRONG)
        last = await create(store, ["tea"])
        assert await wrong.wait("counts", last, 10)
        assert await parcels(wrong) == {"tea": 4}
        with pytest.raises(StoreNotReady, match="serves already"):
            await accept(ground, WRONG)


async def test_a_version_that_is_told_to_accept_says_what_differs(
    store: Store, folding: Folding, old: ReadModels, wrong: ReadModels
) -> None:
    async with folding([OLD]):
        assert await old.wait("counts", await create(store, ["tea"]), 10)
    with capture_logs() as said:
        async with folding([WRONG], accepts=True):
            await becomes(wrong, "live")
            await says(said, "counts is built: 1 events in ")
    differs = "1 row of counts, such as name=tea (parcels)"
    news = [line["event"] for line in said if line["event"].startswith("counts ")]
    assert news[:2] == [
        "counts is built anew: its declaration has changed …",
        f"counts has changed ({differs}); it is taken up all the same.",
    ]


async def says(lines: list[Any], start: str) -> None:
    """Wait until a line starts so."""
    async with asyncio.timeout(10):
        while not any(line["event"].startswith(start) for line in lines):
            await asyncio.sleep(0.01)


async def test_nobody_need_fold_the_version_that_it_is_compared_with(
    store: Store, folding: Folding, old: ReadModels, new: ReadModels, wrong: ReadModels
) -> None:
    async with folding([OLD]):
        assert await old.wait("counts", await create(store, ["tea"] * 3), 10)
    last = await create(store, ["oil"] * 3)
    async with folding([WRONG]):
        held = await becomes(wrong, "held")
        assert held.reason == "1 row of counts, such as name=tea (parcels)"
    async with folding([NEW]):
        await becomes(new, "live")
        assert await new.wait("counts", last, 10)


async def test_one_that_has_stopped_is_compared_where_it_did(
    store: Store, folding: Folding, reader: Reader, new: ReadModels, wrong: ReadModels
) -> None:
    broken = counting("old", stops_at="bad")
    models = ReadModels(reader, [broken])
    async with folding([broken]):
        assert await models.wait("counts", await create(store, ["tea"]), 10)
        await create(store, ["bad", "tea"])
        await becomes(models, "stopped")
        await models.close()
        async with folding([WRONG]):
            assert (await becomes(wrong, "held")).reason is not None
        async with folding([NEW]):
            await becomes(new, "live")
    assert await parcels(new) == {"bad": 1, "tea": 2}


async def test_one_that_stops_on_its_way_leaves_what_there_is_and_is_compared_after_the_skip(
    store: Store, folding: Folding, reader: Reader, old: ReadModels, database: Database
) -> None:
    async with folding([OLD]):
        last = await create(store, ["tea", "bad"])
        assert await old.wait("counts", last, 10)
        broken = counting("new", stops_at="bad")
        models = ReadModels(reader, [broken])
        async with folding([broken]):
            await becomes(models, "stopped")
            with pytest.raises(ReadModelAway, match="has stopped before it was built"):
                await models.list("counts")
            await skip(store, "counts", 2)
            held = await becomes(models, "held")
        assert held.reason == "1 row of counts, such as name=bad (only in the old one)"
        assert await shown_by_the_view(database, OLD)
        await models.close()


async def test_a_build_that_passed_what_it_is_to_replace_begins_again(
    store: Store, folding: Folding, old: ReadModels, new: ReadModels, database: Database
) -> None:
    async with folding([OLD]):
        assert await old.wait("counts", await create(store, ["tea"] * 4), 10)
    async with folding([NEW]):
        await becomes(new, "live")
    connection = await asyncpg.connect(database.owner)
    schema = store.namespace.replace("-", "_")
    await connection.execute(f"set search_path to {schema}_read, {schema}")
    sql = "update projection set differs = null, taken_up_at = null, state = 'building'"
    await connection.execute(f"{sql} where version = $1", NEW.version)
    await create(store, ["tea"])
    event = "(select id from events where position = 2)"
    sql = f"update projection set position = 2, event = {event} where version = $1"  # noqa: S608
    await connection.execute(sql, OLD.version)
    await connection.close()
    with capture_logs() as said:
        async with folding([NEW]):
            await becomes(new, "held")
    reasons = [line["reason"] for line in said if line["event"] == "projector begins again"]
    assert reasons == ["counts has passed what it is to replace; it begins again."]


async def test_a_rebuild_that_differs_changes_nothing_until_it_is_accepted(
    store: Store, folding: Folding, models: ReadModels, database: Database
) -> None:
    last = await create(store, ["tea", "oil"])
    async with folding():
        assert await models.wait("counts", last, 10)
        await spoil(database, "counts", "set parcels = 7 where name = 'tea'")
        rebuilt = await rebuild(store, REGISTRY, COUNTS, namespace=store.namespace)
        assert rebuilt.differs == "1 row of counts, such as name=tea (parcels)"
        assert not rebuilt.is_taken_up
        assert len(await table(database, "projection")) == 2
        rebuilt = await rebuild(store, REGISTRY, COUNTS, namespace=store.namespace, accept=True)
        assert rebuilt.is_taken_up
    assert sorted(row["parcels"] for row in await table(database, "counts")) == [1, 1]


async def test_what_can_not_be_compared_in_time_is_held(
    store: Store,
    folding: Folding,
    old: ReadModels,
    new: ReadModels,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("treering.projection.meeting._LONGEST", 200)
    async with folding([OLD]):
        assert await old.wait("counts", await create(store, ["tea"]), 10)
    connection = await asyncpg.connect(database.owner)
    await connection.execute(f"set search_path to {database.namespace.replace('-', '_')}_read")
    async with connection.transaction():
        table = await connection.fetchval("select tables[1] from projection")
        await connection.execute(f"lock table {table}")
        async with folding([NEW]):
            assert (await becomes(new, "held")).reason == "it could not be compared within 0.2 s"
    await connection.close()


async def spoil(database: Database, view: str, change: str) -> None:
    """Change the rows that *view* shows behind everybody's back."""
    connection = await asyncpg.connect(database.owner)
    await connection.execute(f"set search_path to {database.namespace.replace('-', '_')}_read")
    await connection.execute(f"update {view} {change}")
    await connection.close()
