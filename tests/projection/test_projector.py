"""The projector: read models are the fold of the log, whatever else happens."""

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.projection.conftest import Folding
from tests.projection.parcels import commands, told
from tests.projection.world import (
    COUNTS,
    PARCELS,
    REGISTRY,
    append,
    becomes_live,
    counted,
    create,
    fields,
    parcel,
    shown,
    skip,
)  # fmt: skip
from treering.entity import Created, Deleted, Purged, Tagged, Updated
from treering.message import Command
from treering.projection import rebuild
from treering.query import QueryOptions
from treering.reading import ReadModels
from treering.store import Store
from treering.testing.fixtures import Database


async def assert_equals_the_fold(store: Store, models: ReadModels) -> None:
    """See that both read models are the fold of all that is stored."""
    recorded = [REGISTRY.recorded(stored) for stored in await store.read(0, limit=100_000)]
    for model in (PARCELS, COUNTS):
        assert await models.wait(model.name, len(recorded), 20)
        (rows,) = model.rows(recorded).values()
        found = shown((await models.list(model.name, QueryOptions(include_deleted=True))).items)
        key = model.tables[0].primary_key.columns.keys()[0]
        assert [row[key] for row in found] == sorted(row[key] for row in rows)
    (rows,) = COUNTS.rows(recorded).values()
    assert shown((await models.list("counts")).items) == sorted(rows, key=lambda row: row["name"])


async def test_what_was_appended_before_and_what_comes_later_is_folded(
    store: Store, models: ReadModels, folding: Folding
) -> None:
    await create(store, ["tea", "oil"])
    async with folding():
        assert await models.wait("counts", 2, 10)
        last = await create(store, ["tea"])
        assert await models.wait("counts", last, 10)
    assert await counted(models) == {"oil": 1, "tea": 2}


async def test_a_projector_goes_on_where_the_one_before_ended(
    store: Store, models: ReadModels, folding: Folding
) -> None:
    for _ in range(3):
        last = await create(store, ["tea", "oil"])
        async with folding():
            assert await models.wait("counts", last, 10)
    await assert_equals_the_fold(store, models)


async def test_a_whole_life_is_folded(store: Store, models: ReadModels, folding: Folding) -> None:
    async with folding():
        stream = parcel()
        await append(store, stream, Created(fields=fields()))
        await append(store, stream, Tagged(tags=["new", "red"]), after=1)
        await append(store, stream, Updated(fields={"weight": 1.5}), after=2)
        last = await append(store, stream, Deleted(), after=3)
        assert await models.wait("parcels", last, 10)
    row = shown(await models.get("parcels", stream.partition("/")[2], include_deleted=True))
    assert (row["tags"], row["weight"], "deleted_at" in row) == (["new", "red"], 1.5, True)


async def test_what_was_purged_is_gone_and_is_passed_over_from_then_on(
    store: Store, models: ReadModels, folding: Folding
) -> None:
    stream = parcel()
    await append(store, stream, Created(fields=fields()), Updated(fields={"weight": 1.5}))
    async with folding():
        assert await models.wait("parcels", 2, 10)
        last = await append(store, stream, Purged(), after=2)
        assert await models.wait("parcels", last, 10)
        assert await becomes_live(models, "parcels")
    assert (await models.list("parcels", QueryOptions(include_deleted=True))).total == 0
    assert (await rebuild(store, REGISTRY, PARCELS, namespace=store.namespace)).is_taken_up
    assert (await models.list("parcels", QueryOptions(include_deleted=True))).total == 0


async def test_a_table_that_adds_up_counts_what_was_purged_until_it_is_rebuilt(
    store: Store, models: ReadModels, folding: Folding
) -> None:
    stream = parcel()
    await create(store, ["tea"])
    await append(store, stream, Created(fields=fields("tea")))
    async with folding():
        assert await models.wait("counts", 2, 10)
        last = await append(store, stream, Purged(), after=1)
        assert await models.wait("counts", last, 10)
        assert await becomes_live(models, "counts")
    assert await counted(models) == {"tea": 2}
    rebuilt = await rebuild(store, REGISTRY, COUNTS, namespace=store.namespace)
    assert rebuilt.differs == "1 row of counts, such as name=tea (parcels, pieces)"
    assert await counted(models) == {"tea": 2}
    await rebuild(store, REGISTRY, COUNTS, namespace=store.namespace, accept=True)
    assert await counted(models) == {"tea": 1}


async def test_events_that_a_read_model_does_not_want_move_it_on(
    store: Store, models: ReadModels, folding: Folding
) -> None:
    async with folding():
        last = await skip(store, "something-else", 1)
        assert await models.wait("parcels", last, 10)


async def test_many_events_are_caught_up_with(
    store: Store, models: ReadModels, folding: Folding
) -> None:
    created = [Updated(fields={"pieces": n}) for n in range(999)]
    for _ in range(6):
        await append(store, parcel(), Created(fields=fields()), *created)
    async with folding():
        await assert_equals_the_fold(store, models)
        await create(store, ["oil"] * 3)
        await assert_equals_the_fold(store, models)


async def test_a_projector_that_loses_its_connections_goes_on(
    store: Store, models: ReadModels, folding: Folding, database: Database
) -> None:
    async with folding():
        assert await models.wait("counts", await create(store, ["tea"]), 10)
        connection = await asyncpg.connect(database.owner)
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where usename = 'treering_writer' "
            "and (application_name = 'treering' or application_name like 'treering projector%')"
        )
        await connection.close()
        assert await models.wait("counts", await create(store, ["tea"]), 10)
    assert await counted(models) == {"tea": 2}


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lives=st.lists(st.lists(commands, max_size=8), max_size=8))
async def test_replay_is_live(
    store: Store, models: ReadModels, folding: Folding, lives: list[list[Command]]
) -> None:
    async with folding():
        for life in lives:
            stream = parcel()
            events = [recorded.event for recorded in told(stream, life)]
            if events:
                await append(store, stream, *events)
        last = (await store.head()).position
        assert await models.wait("parcels", last, 20)
        assert await becomes_live(models, "parcels")
    live = await models.list("parcels", QueryOptions(include_deleted=True))
    await rebuild(store, REGISTRY, PARCELS, namespace=store.namespace)
    assert await models.list("parcels", QueryOptions(include_deleted=True)) == live
