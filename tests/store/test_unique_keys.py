"""Unique keys: no two streams hold one, and it is known who does."""

from tests.store.asking import appended, as_owner, asking, hindered
from treering.store import Appended, Hindered, Store
from treering.testing.fixtures import Database

KEY = 'dataset.name="rain"'
HOLDERS = "select string_agg(key || ' ' || stream, ',' order by key) from unique_key"


async def test_a_key_that_is_taken_names_its_holder(store: Store) -> None:
    await appended(store, asking("dataset/1", taken=[KEY]))
    late = asking("dataset/2", taken=[KEY])
    assert await hindered(store, late) == [("taken", KEY, "dataset/1", 0)]
    assert await store.read_stream("dataset/2") == []


async def test_a_released_key_is_free(store: Store, database: Database) -> None:
    await appended(store, asking("dataset/1", taken=[KEY]))
    await appended(store, asking("dataset/1", 1, released=[KEY]))
    await appended(store, asking("dataset/2", taken=[KEY]))
    assert await as_owner(database, HOLDERS) == f"{KEY} dataset/2"


async def test_only_its_holder_releases_a_key(store: Store, database: Database) -> None:
    await appended(store, asking("dataset/1", taken=[KEY]))
    await appended(store, asking("dataset/2", released=[KEY]))
    assert await as_owner(database, HOLDERS) == f"{KEY} dataset/1"
    stolen = asking("dataset/3", released=[KEY], taken=[KEY])
    assert await hindered(store, stolen) == [("taken", KEY, "dataset/1", 0)]


async def test_its_holder_may_take_a_key_again(store: Store, database: Database) -> None:
    await appended(store, asking("dataset/1", taken=[KEY]))
    await appended(store, asking("dataset/1", 1, taken=[KEY]))
    await appended(store, asking("dataset/1", 2, released=[KEY], taken=[KEY]))
    assert await as_owner(database, HOLDERS) == f"{KEY} dataset/1"


async def test_of_two_that_want_a_key_at_the_same_moment_one_gets_it(store: Store) -> None:
    answers = await store.append_all([asking(f"dataset/{n}", taken=[KEY]) for n in range(2)])
    assert [type(answer) for answer in answers] == [Appended, Hindered]


async def test_a_key_moves_to_who_asks_after_its_release(store: Store, database: Database) -> None:
    await appended(store, asking("dataset/1", taken=[KEY]))
    answers = await store.append_all(
        [asking("dataset/1", 1, released=[KEY]), asking("dataset/2", taken=[KEY])]
    )
    assert [type(answer) for answer in answers] == [Appended, Appended]
    assert await as_owner(database, HOLDERS) == f"{KEY} dataset/2"


async def test_nothing_is_left_of_a_request_whose_key_is_taken(
    store: Store, database: Database
) -> None:
    await appended(store, asking("dataset/1", taken=[KEY]))
    late = asking("dataset/2", taken=["dataset.name=other", KEY])
    await hindered(store, late)
    assert await as_owner(database, HOLDERS) == f"{KEY} dataset/1"
    assert await store.verdict(late.rulings[0].verdict.id) is None
    assert (await store.invariant(full=True)).holds
