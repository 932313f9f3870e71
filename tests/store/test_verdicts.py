"""How long verdicts are kept, and where."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.asking import appended, as_owner, asking, hindered, owner_of
from treering import ulid
from treering.errors import StoreUnavailable
from treering.store import Store
from treering.testing.fixtures import Database

AGE = "update verdict set recorded_at = recorded_at - make_interval(days => $2) where id = $1"
PLACE = "select tableoid::regclass::text from verdict where id = $1"
PARTITIONS = "select count(*) from pg_inherits where inhparent = 'verdict'::regclass"


@pytest.fixture
async def stores(database: Database) -> AsyncGenerator[Sequence[Store]]:
    """Open the store as several processes do."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                await Store.open(database.writer, namespace=database.namespace)
            )
            for _ in range(5)
        ]


@asynccontextmanager
async def reading_verdicts(database: Database) -> AsyncGenerator[None]:
    """Read verdicts in a transaction that stays open, as a backup does."""
    connection = await owner_of(database)
    try:
        async with connection.transaction():
            await connection.fetch("select from verdict")
            yield
    finally:
        await connection.close()


async def an_old_day(database: Database) -> datetime:
    """Make the partition of a day long ago."""
    day = datetime.now(UTC).replace(hour=0, minute=0) - timedelta(days=40)
    await as_owner(
        database,
        f"create table verdict_{day:%Y%m%d} partition of verdict "
        f"for values from ('{ulid.first_of(day)}') to ('{ulid.first_of(day + timedelta(days=1))}')",
    )
    return day


async def test_a_verdict_lies_in_the_partition_of_its_day(store: Store, database: Database) -> None:
    today = datetime.now(UTC)
    for day in (-1, 0, 1, 7):
        moment = today + timedelta(days=day)
        command = ulid.derive(moment, str(day))
        await appended(store, asking(f"dataset/{day}", command=command))
        assert await as_owner(database, PLACE, command) == f"verdict_{moment:%Y%m%d}"


async def test_ids_that_are_no_ulids_of_these_days_lie_with_the_rest(
    store: Store, database: Database
) -> None:
    others = [
        "my-own-id", ulid.derive(datetime(2020, 1, 1, tzinfo=UTC), "x"), ulid.new().lower(),
        ulid.derive(datetime.now(UTC) + timedelta(days=30), "x"),
    ]  # fmt: skip
    for number, command in enumerate(others):
        await appended(store, asking(f"dataset/{number}", command=command))
        assert await as_owner(database, PLACE, command) == "verdict_rest"


async def test_nothing_is_dropped_before_its_time(store: Store) -> None:
    await appended(store, asking("dataset/1", command=ulid.new()))
    await appended(store, asking("dataset/2", command="mine"))
    await store.keep_verdicts(days=1)
    assert (await store.head()).horizon is None
    assert await store.verdict("mine") is not None


async def test_old_verdicts_of_any_id_are_dropped_and_the_horizon_moves(
    store: Store, database: Database
) -> None:
    await appended(store, asking("dataset/1", command="old"))
    await appended(store, asking("dataset/2", command="young"))
    await as_owner(database, AGE, "old", 31)
    before = datetime.now(UTC) - timedelta(days=30)
    await store.keep_verdicts()
    horizon = (await store.head()).horizon
    assert horizon is not None
    assert before <= horizon <= before + timedelta(minutes=1)
    assert await store.verdict("old") is None
    assert await store.verdict("young") is not None
    await appended(store, asking("dataset/1", 1, command="old"))


async def test_a_day_is_dropped_when_its_last_verdict_is_old(
    store: Store, database: Database
) -> None:
    owner = await owner_of(database)
    day = await an_old_day(database)
    commands = [ulid.derive(day + timedelta(hours=1), name) for name in ("old", "late")]
    for number, command in enumerate(commands):
        await appended(store, asking(f"dataset/{number}", command=command))
    await owner.execute(AGE, commands[0], 40)
    await store.keep_verdicts()
    assert len(await store.verdicts(commands)) == 2
    assert (await store.head()).horizon is None
    await owner.execute(AGE, commands[1], 40)
    partitions = await owner.fetchval(PARTITIONS)
    await store.keep_verdicts()
    assert await store.verdicts(commands) == {}
    assert await owner.fetchval(PARTITIONS) == partitions - 1
    assert (await store.head()).horizon is not None
    await owner.close()


async def test_an_empty_day_goes_without_moving_the_horizon(
    store: Store, database: Database
) -> None:
    await an_old_day(database)
    before = await as_owner(database, PARTITIONS)
    await store.keep_verdicts()
    assert await as_owner(database, PARTITIONS) == before - 1
    assert (await store.head()).horizon is None


async def test_a_day_whose_ids_came_early_stays_with_the_rest(
    store: Store, database: Database
) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=3)
    command = ulid.derive(tomorrow, "early")
    await as_owner(database, f"drop table verdict_{tomorrow:%Y%m%d}")
    request = asking("dataset/1", command=command)
    await appended(store, request)
    await store.keep_verdicts()
    assert await as_owner(database, PLACE, command) == "verdict_rest"
    assert ("duplicate", command, None, 0) in await hindered(store, request)


async def test_who_reads_verdicts_for_long_keeps_nobody_from_appending(
    store: Store, database: Database
) -> None:
    coming = datetime.now(UTC) + timedelta(days=3)
    await as_owner(database, f"drop table verdict_{coming:%Y%m%d}")
    async with reading_verdicts(database):
        sweeping = asyncio.create_task(store.keep_verdicts())
        async with asyncio.timeout(5):
            for number in range(10):
                await appended(store, asking(f"dataset/{number}"))
            with pytest.raises(StoreUnavailable, match="lock timeout"):
                await sweeping
            async with await Store.open(database.writer, namespace=database.namespace) as other:
                command = ulid.derive(coming, "x")
                await appended(other, asking("dataset/other", command=command))
    assert await as_owner(database, PLACE, command) == "verdict_rest"


async def test_a_day_that_could_not_be_made_is_made_next_time(
    store: Store, database: Database
) -> None:
    coming = f"verdict_{datetime.now(UTC) + timedelta(days=3):%Y%m%d}"
    await as_owner(database, f"drop table {coming}")
    async with reading_verdicts(database):
        with pytest.raises(StoreUnavailable):
            await store.keep_verdicts()
    await store.keep_verdicts()
    assert await as_owner(database, "select to_regclass($1)::text", coming) == coming


async def test_the_horizon_has_moved_before_anything_is_dropped(
    store: Store, database: Database
) -> None:
    day = await an_old_day(database)
    command = ulid.derive(day + timedelta(hours=1), "old")
    await appended(store, asking("dataset/1", command=command))
    await as_owner(database, AGE, command, 40)
    async with reading_verdicts(database):
        sweeping = asyncio.create_task(store.keep_verdicts())
        async with asyncio.timeout(5):
            await appended(store, asking("dataset/2"))
            with pytest.raises(StoreUnavailable):
                await sweeping
        assert (await store.head()).horizon is not None
        assert await store.verdict(command) is not None
    await store.keep_verdicts()
    assert await store.verdict(command) is None


async def test_several_processes_keep_verdicts_at_once(
    stores: Sequence[Store], database: Database
) -> None:
    today = datetime.now(UTC)
    for days in range(8):
        await as_owner(database, f"drop table verdict_{today + timedelta(days=days):%Y%m%d}")
    await an_old_day(database)
    await asyncio.gather(*(store.keep_verdicts() for store in stores))
    assert await as_owner(database, PARTITIONS) == 10


async def test_both_sides_agree_where_a_moments_ids_begin(database: Database) -> None:
    owner = await owner_of(database)
    moments = st.datetimes(datetime(1970, 1, 2), datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
    found: list[datetime] = []

    @given(moments)
    def gather(moment: datetime) -> None:
        found.append(moment)

    gather()
    floors = await owner.fetch(
        "select ulid_floor(moment) as floor from unnest($1::timestamptz[]) as moment", found
    )
    await owner.close()
    assert [row["floor"] for row in floors] == [ulid.first_of(moment)[:10] for moment in found]
    assert all(ulid.first_of(moment)[10:] == "0" * 16 for moment in found)
