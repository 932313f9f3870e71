"""How long verdicts are kept, and where."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.store.asking import appended, as_owner, asking, hindered, owner_of
from treering import ulid
from treering.store import Store
from treering.testing.fixtures import Database

AGE = "update verdict set recorded_at = recorded_at - make_interval(days => $2) where id = $1"
PLACE = "select tableoid::regclass::text from verdict where id = $1"
PARTITIONS = "select count(*) from pg_inherits where inhparent = 'verdict'::regclass"


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
    day = datetime.now(UTC).replace(hour=0, minute=0) - timedelta(days=40)
    await owner.execute(
        f"create table verdict_{day:%Y%m%d} partition of verdict "
        f"for values from ('{ulid.first_of(day)}') to ('{ulid.first_of(day + timedelta(days=1))}')"
    )
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
    day = datetime.now(UTC).replace(hour=0, minute=0) - timedelta(days=40)
    await as_owner(
        database,
        f"create table verdict_{day:%Y%m%d} partition of verdict "
        f"for values from ('{ulid.first_of(day)}') to ('{ulid.first_of(day + timedelta(days=1))}')",
    )
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
