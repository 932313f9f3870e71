"""An event that can not be folded stops its read model, until an operator has it passed over."""

import re
from dataclasses import replace

import asyncpg
import pytest

from tests.projection.conftest import Folding
from tests.projection.versions import becomes
from tests.projection.world import (
    COUNTS,
    PARCELS,
    REGISTRY,
    append,
    becomes_live,
    catches_up,
    counted,
    create,
    fields,
    parcel,
    skip,
)  # fmt: skip
from treering.entity import Created, Updated
from treering.errors import ProjectionStopped
from treering.projection import rebuild
from treering.reading import ReadModels
from treering.store import Store
from treering.testing.fixtures import Database


async def test_a_bad_event_stops_its_read_model_before_it_and_no_other(
    store: Store, models: ReadModels, folding: Folding
) -> None:
    last = await create(store, ["tea", "bad", "oil"])
    async with folding():
        assert await models.wait("parcels", last, 10)
        assert not await models.wait("counts", last, 10)
        assert await becomes_live(models, "parcels")
    found = {each.name: each for each in await models.status()}
    assert found["counts"].state == "stopped"
    assert (found["counts"].position, found["counts"].stopped_at, found["counts"].lag) == (1, 2, 2)
    assert re.fullmatch(
        r"ValueError: a bad parcel \(\w+\.py, line \d+\)", found["counts"].reason or ""
    )
    assert await counted(models) == {"tea": 1}


async def test_a_bad_event_long_before_the_head_holds_nobody_up(
    store: Store, models: ReadModels, folding: Folding
) -> None:
    await create(store, ["bad"])
    pieces = [Updated(fields={"pieces": n}) for n in range(2500)]
    last = await append(store, parcel(), Created(fields=fields("tea")), *pieces)
    async with folding():
        assert await models.wait("parcels", last, 10)
        assert not await models.wait("counts", last, 10)


async def test_an_event_that_the_database_refuses_stops_its_read_model_before_it(
    store: Store, models: ReadModels, folding: Folding
) -> None:
    await create(store, ["oil"] * 5)
    stream = parcel()
    await append(store, stream, Created(fields=fields("tea", pieces=2**62)))
    await append(store, parcel(), Created(fields=fields("tea", pieces=2**62)))
    last = await create(store, ["oil"] * 5)
    async with folding():
        assert await models.wait("parcels", last, 10)
        assert not await models.wait("counts", last, 10)
    (counts,) = [each for each in await models.status() if each.name == "counts"]
    assert (counts.stopped_at, counts.position) == (7, 6)
    assert await counted(models) == {"oil": 5, "tea": 1}


async def test_an_event_of_a_newer_release_stops_those_who_want_it(
    store: Store, models: ReadModels, folding: Folding, database: Database
) -> None:
    await create(store, ["tea"])
    last = await create(store, ["tea"])
    connection = await asyncpg.connect(database.owner)
    await connection.execute(f"set search_path to {store.namespace.replace('-', '_')}")
    await connection.execute("alter table events disable trigger user")
    await connection.execute("update events set type = 'parcel.lost.v1' where position = 2")
    await connection.close()
    async with folding():
        assert not await models.wait("parcels", last, 10)
    found = {each.name: each.reason for each in await models.status()}
    assert "run the newer one" in str(found["parcels"])


async def test_a_skipped_event_is_passed_over_at_once(
    store: Store, models: ReadModels, folding: Folding
) -> None:
    await create(store, ["tea", "bad", "oil"])
    async with folding():
        assert not await models.wait("counts", 3, 10)
        last = await skip(store, "counts", 2)
        assert await catches_up(models, last)
    assert await counted(models) == {"oil": 1, "tea": 1}


async def test_what_is_still_bad_stops_it_again_at_the_next_start(
    store: Store, models: ReadModels, folding: Folding
) -> None:
    last = await create(store, ["bad", "tea"])
    for _ in range(2):
        async with folding():
            assert await models.wait("parcels", last, 10)
            assert not await models.wait("counts", last, 10)


async def test_a_rebuild_passes_over_what_was_skipped(
    store: Store, models: ReadModels, folding: Folding
) -> None:
    await create(store, ["tea", "bad", "oil"])
    last = await skip(store, "counts", 2)
    async with folding():
        assert await models.wait("counts", last, 10)
        assert await becomes_live(models, "counts")
    rebuilt = await rebuild(store, REGISTRY, COUNTS, namespace=store.namespace)
    assert (rebuilt.position, rebuilt.is_taken_up) == (last, True)
    assert await counted(models) == {"oil": 1, "tea": 1}
    assert [each.build for each in await models.status()] == [1, 2]


async def test_a_rebuild_that_meets_a_bad_event_leaves_what_there_was(
    store: Store, models: ReadModels, folding: Folding
) -> None:
    last = await create(store, ["tea", "bad"])
    async with folding():
        assert not await models.wait("counts", last, 10)
    with pytest.raises(ProjectionStopped, match="counts stopped at position 2"):
        await rebuild(store, REGISTRY, COUNTS, namespace=store.namespace)
    assert await counted(models) == {"tea": 1}
    assert [each.build for each in await models.status()] == [1, 1]


async def test_a_change_of_a_table_that_is_not_its_own_stops_a_read_model(
    store: Store, models: ReadModels, folding: Folding
) -> None:
    lost = replace(COUNTS, tables=PARCELS.tables)
    last = await create(store, ["tea"])
    async with folding([lost]):
        assert not await models.wait("counts", last, 0.1)
        found = ReadModels(store, [lost])
        assert (await becomes(found, "stopped")).reason == "counts has no table 'counts'."
        await found.close()
