"""Reading: by position, by stream, verdicts, the head and the live invariant."""

import pytest

from tests.store.asking import appended, as_owner, asking
from treering.errors import StoreNotReady, StoreUnavailable
from treering.store import Head, PoolOptions, Reader, Store
from treering.store.connecting import quoted, schema_of, url_for
from treering.testing.fixtures import Database


async def test_events_come_in_order_after_a_position_up_to_a_limit(
    store: Store, reader: Reader
) -> None:
    for number in range(5):
        await appended(store, asking(f"dataset/{number}"))
    assert [event.position for event in await reader.read(1, limit=3)] == [2, 3, 4]
    assert [event.position for event in await reader.read(4)] == [5]
    assert await reader.read(5) == []


async def test_a_stream_is_read_from_one_version_to_another(store: Store, reader: Reader) -> None:
    await appended(store, asking("dataset/rain", count=5))
    await appended(store, asking("dataset/rainy"))

    async def versions(after: int = 0, upto: int | None = None) -> list[int]:
        found = await reader.read_stream("dataset/rain", after=after, upto=upto)
        return [event.version for event in found]

    assert await versions() == [1, 2, 3, 4, 5]
    assert await versions(after=2) == [3, 4, 5]
    assert await versions(after=1, upto=3) == [2, 3]
    assert await reader.read_stream("dataset/none") == []


async def test_several_streams_are_read_at_once(store: Store, reader: Reader) -> None:
    for name in ("a", "b", "c"):
        await appended(store, asking(name, count=3))
    found = await reader.read_streams([("a", 1, None), ("c", 0, 2)])
    assert [(event.stream, event.version) for event in found] == [
        ("a", 2), ("a", 3), ("c", 1), ("c", 2),
    ]  # fmt: skip


async def test_verdicts_are_found_by_id(store: Store, reader: Reader) -> None:
    await appended(store, asking("dataset/1", command="one"))
    await appended(store, asking("dataset/1", 1, count=0, outcome="nothing", command="two"))
    found = await reader.verdicts(["one", "two", "three"])
    assert {name: verdict.outcome for name, verdict in found.items()} == {
        "one": "accepted",
        "two": "nothing",
    }
    assert await reader.verdict("three") is None


async def test_the_head_tells_position_time_and_epoch(store: Store, reader: Reader) -> None:
    answer = await appended(store, asking("dataset/1"))
    head = await reader.head()
    assert head == Head(position=1, recorded_at=answer.recorded_at, epoch=head.epoch, horizon=None)
    assert len(head.epoch) == 36


@pytest.mark.parametrize("full", [False, True])
async def test_the_invariant_sees_a_hole(store: Store, database: Database, full: bool) -> None:  # noqa: FBT001
    await appended(store, asking("dataset/1", count=4))
    assert (await store.invariant(full=full)).holds
    await as_owner(database, _DELETE, 2)
    found = await store.invariant(full=full)
    assert not found.holds
    assert found.detail == "head 4, newest 4, 3 events above 0"


async def test_the_invariant_sees_a_lost_end(store: Store, database: Database) -> None:
    await appended(store, asking("dataset/1", count=4))
    await as_owner(database, _DELETE, 4)
    assert not (await store.invariant()).holds


async def test_the_quick_invariant_looks_at_the_newest_alone(
    store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treering.store.reader._NEWEST", 2)
    await appended(store, asking("dataset/1", count=4))
    await as_owner(database, _DELETE, 1)
    assert (await store.invariant()).holds
    assert not (await store.invariant(full=True)).holds


async def test_a_store_that_is_not_migrated_is_not_opened(database: Database) -> None:
    with pytest.raises(StoreNotReady, match="treering db upgrade"):
        await Reader.open(database.reader, namespace="nobody-has-made-this")


async def test_a_store_of_another_revision_is_not_opened(database: Database) -> None:
    for sql, said in (
        ("update alembic_version set version_num = '9999'", "newer .* run the newer release"),
        ("update alembic_version set version_num = '0001'", "run `treering db upgrade`"),
        ("delete from alembic_version", "this release needs"),
    ):
        await as_owner(database, sql)
        with pytest.raises(StoreNotReady, match=said):
            await Reader.open(database.reader, namespace=database.namespace)


async def test_a_store_one_may_not_see_is_not_opened(database: Database) -> None:
    await as_owner(database, _STRANGER)
    stranger = url_for(database.owner, "treering_stranger")
    with pytest.raises(StoreNotReady, match="treering db upgrade"):
        await Reader.open(stranger, namespace=database.namespace)


async def test_a_user_or_database_that_is_not_there_is_said(database: Database) -> None:
    with pytest.raises(StoreNotReady, match="does not let us in"):
        await Reader.open(url_for(database.owner, "nobody"), namespace="x")
    with pytest.raises(StoreNotReady, match="does not let us in"):
        await Reader.open(database.owner.replace("/postgres?", "/no-such?"), namespace="x")


async def test_a_url_that_is_none_is_said() -> None:
    with pytest.raises(StoreNotReady, match="URL"):
        await Reader.open("mysql://somewhere", namespace="x")


async def test_a_database_that_stays_away_is_tried_for_a_while() -> None:
    with pytest.raises(StoreUnavailable):
        await Reader.open("postgresql://x@127.0.0.1:1/x", namespace="x", retry_seconds=0.2)


async def test_the_pool_has_the_size_it_is_told(database: Database) -> None:
    options = PoolOptions(min=2, max=3)
    async with await Reader.open(
        database.reader, namespace=database.namespace, pool=options
    ) as reader:
        assert (reader.pool.get_min_size(), reader.pool.get_max_size()) == (2, 3)
        assert reader.pool.get_size() == 2


async def test_names_see_the_store_first_and_the_read_models_then(
    reader: Reader, database: Database
) -> None:
    (row,) = await reader.fetch("show search_path")
    schema = schema_of(database.namespace)
    assert row["search_path"] == f"{schema}, {schema}_read"
    assert quoted('a"b') == '"a""b"'


_DELETE = """
with off as (select set_config('session_replication_role', 'replica', false))
delete from events using off where position = $1
"""
_STRANGER = """
do $$ begin create role treering_stranger login; exception when duplicate_object then null; end $$
"""
