"""Answers are kept while they hold, asked for again when they may not, and bounded."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from tests.projection.conftest import Folding
from tests.projection.world import PARCELS, append, fields, shown
from treering.entity import Created, Deleted, Updated
from treering.message import Position
from treering.projection import Projection
from treering.projection.telling import Changed, heard, keys_of, told
from treering.query import Cursor, QueryOptions
from treering.reading import ReadModels
from treering.reading.cache import Entry, Memory, Row, Shared, cache_of
from treering.reading.cache.redis import Redis
from treering.reading.rows import Rows
from treering.store import Reader, Store
from treering.testing.fixtures import Database

WITHIN = 20


class Counting(Reader):
    """Counts the statements that it runs on rows of parcels, beside those that look for builds."""

    statements = 0

    async def fetch(self, sql: str, *values: Any) -> list[Any]:
        self.statements += "parcels_" in sql
        return await super().fetch(sql, *values)


@pytest.fixture
async def counting(database: Database) -> AsyncGenerator[Counting]:
    async with await Counting.open(database.reader, namespace=database.namespace) as opened:
        yield opened


@pytest.fixture
async def kept(
    store: Store, counting: Counting, folding: Folding
) -> AsyncGenerator[tuple[ReadModels, Callable[..., Any]]]:
    """Have a, b and c, a cache, and a way to say how many statements an answer takes."""
    models = _cached(counting)
    async with folding([PARCELS]):
        places = [
            await append(store, f"parcel/{each}", Created(fields=fields(each))) for each in "abc"
        ]
        await _hears(models, places[-1])

        async def statements(ask: Callable[[], Any]) -> int:
            before = counting.statements
            await ask()
            return counting.statements - before

        yield models, statements
    await models.close()


async def test_what_was_answered_is_not_asked_again(
    kept: tuple[ReadModels, Callable[..., Any]],
) -> None:
    models, statements = kept
    page = QueryOptions(limit=2, count="exact")
    asks = [
        lambda: models.get("parcels", "a"),
        lambda: models.get("parcels", "a", fields=["name"]),
        lambda: models.list("parcels"),
        lambda: models.list("parcels", page),
        lambda: models.total("parcels"),
        lambda: models.facets("parcels", QueryOptions(), ["name"]),
    ]
    first = [await each() for each in asks]
    assert [await statements(each) for each in asks] == [0] * len(asks)
    assert [await each() for each in asks] == first


async def test_each_answer_counts_once_more_the_statement_that_it_takes(
    kept: tuple[ReadModels, Callable[..., Any]],
) -> None:
    models, statements = kept
    await models.get("parcels", "a")
    assert await statements(lambda: models.get("parcels", "b")) == 1
    assert await statements(lambda: models.get("parcels", "a", include_deleted=True)) == 1


async def test_a_row_that_changed_is_asked_again_and_its_neighbour_is_not(
    kept: tuple[ReadModels, Callable[..., Any]], store: Store
) -> None:
    models, statements = kept
    for each in "ab":
        await models.get("parcels", each)
    last = await append(store, "parcel/a", Updated(fields={"pieces": 7}), after=1)
    assert await models.wait("parcels", last, WITHIN)
    assert shown(await models.get("parcels", "a"))["pieces"] == 7
    assert await statements(lambda: models.get("parcels", "b")) == 0


async def test_a_list_is_asked_again_when_any_row_has_changed(
    kept: tuple[ReadModels, Callable[..., Any]], store: Store
) -> None:
    models, _ = kept
    assert len(shown((await models.list("parcels")).items)) == 3
    last = await append(store, "parcel/b", Deleted(), after=1)
    assert await models.wait("parcels", last, WITHIN)
    assert [each["id"] for each in shown((await models.list("parcels")).items)] == ["a", "c"]


async def test_what_is_not_there_is_looked_for_each_time(
    kept: tuple[ReadModels, Callable[..., Any]],
) -> None:
    models, statements = kept
    for _ in range(2):
        assert await statements(lambda: models.get("parcels", "none")) == 1


async def test_nothing_is_kept_while_nothing_is_heard(
    store: Store, counting: Counting, folding: Folding
) -> None:
    models = _cached(counting)
    async with folding([PARCELS]):
        last = await append(store, "parcel/a", Created(fields=fields("a")))
        waiting = ReadModels(counting, [PARCELS])
        assert await waiting.wait("parcels", last, WITHIN)
        await waiting.close()
    await models.get("parcels", "a")
    before = counting.statements
    await models.get("parcels", "a")
    assert counting.statements == before + 1
    await models.close()


async def test_what_is_declared_never_to_be_kept_is_asked_each_time(
    store: Store, counting: Counting, folding: Folding
) -> None:
    never = Projection(
        name="parcels",
        tables=PARCELS.tables,
        fold=PARCELS.fold,
        kinds=PARCELS.kinds,
        cache=0,
    )
    models = ReadModels(
        counting, [never], cache=cache_of("memory", namespace="n", megabytes=1, seconds=60)
    )
    async with folding([never]):
        await _hears(models, await append(store, "parcel/a", Created(fields=fields("a"))))
        await models.get("parcels", "a")
        before = counting.statements
        await models.get("parcels", "a")
        assert counting.statements == before + 1
    await models.close()


async def test_two_gateways_share_what_one_has_asked(
    store: Store, counting: Counting, folding: Folding, redis: str
) -> None:
    one, other = _cached(counting, redis), _cached(counting, redis)
    async with folding([PARCELS]):
        last = await append(store, "parcel/a", Created(fields=fields("a")))
        for each in (one, other):
            await _hears(each, last)
        found = await one.get("parcels", "a"), await one.list("parcels"), await _stretch(one)
        before = counting.statements
        assert found == (
            await other.get("parcels", "a"),
            await other.list("parcels"),
            await _stretch(other),
        )
        assert counting.statements == before
        last = await append(store, "parcel/a", Updated(fields={"pieces": 7}), after=1)
        assert await other.wait("parcels", last, WITHIN)
        assert shown(await other.get("parcels", "a"))["pieces"] == 7
    for each in (one, other):
        await each.close()


def test_rows_that_are_too_many_to_be_told_of_count_as_changed() -> None:
    rows = Rows(0)
    for name, before, position in (("a", 0, 1), ("b", 1, 2)):
        rows.take(_changed((name,), before, position))
    assert (rows.since("a"), rows.since("b"), rows.since("c"), rows.since(None)) == (1, 2, 0, 2)
    rows.take(_changed((), 2, 7))
    assert (rows.covered, rows.since("a"), rows.since(None)) == (7, 1, 2)
    rows.take(_changed(None, 7, 8))
    assert (rows.since("a"), rows.since(None)) == (8, 8)


def test_what_was_not_told_counts_as_changed() -> None:
    rows = Rows(3)
    rows.take(_changed(("a",), 5, 6))
    assert (rows.since("a"), rows.since("b")) == (6, 6)
    rows.take(_changed(("b",), 1, 2))
    assert (rows.covered, rows.since("b")) == (6, 6)


def test_of_many_rows_only_the_last_are_known_one_by_one() -> None:
    rows = Rows(0)
    for each in range(10_001):
        rows.take(_changed((str(each),), each, each + 1))
    assert (rows.since("0"), rows.since("1"), rows.since("other")) == (1, 2, 1)


def test_keys_are_told_where_they_are_texts_and_few() -> None:
    assert keys_of([("a",), ("b",)]) == ("a", "b")
    assert keys_of([]) == ()
    assert keys_of([("a", "b")]) is None
    assert keys_of([(1,)]) is None
    assert keys_of([(str(each),) for each in range(1000)]) is None


def test_what_is_told_fits_a_notification_and_is_heard_again() -> None:
    long = _changed(tuple(f"{each:0100}" for each in range(400)), 0, 1)
    assert heard(told([_changed(("a",), 0, 1)])) == [_changed(("a",), 0, 1)]
    assert heard(told([long])) == [_changed(None, 0, 1)]
    assert heard(told([long] * 1000)) == []
    assert heard("what a newer release says") == []


def _changed(keys: tuple[str, ...] | None, before: Position, position: Position) -> Changed:
    return Changed(name="parcels", build=1, before=before, position=position, keys=keys)


def _entry(position: Position, text: str = "x") -> Entry:
    return Entry.of(position, [(text, 1)])


def _row(position: Position) -> Entry:
    return Entry.of(position, [Row({"text": f"at {position}", "version": 1})])


def test_an_older_answer_never_takes_the_place_of_a_newer_one() -> None:
    memory = Memory(100_000)
    assert memory.put("a", _entry(5), 60)
    assert not memory.put("a", _entry(4), 60)
    assert memory.put("a", _entry(6), 60)
    assert memory.get("a") == _entry(6)


def test_memory_is_bounded_in_bytes_and_the_longest_unused_go_first() -> None:
    memory = Memory(100_000)
    for each in range(100):
        memory.put(str(each), _entry(1, "x" * 10_000), 60)
        memory.get("0")
    there = [each for each in range(100) if memory.get(str(each))]
    assert (there[0], there[-1], len(there)) == (0, 99, 9)
    assert not memory.put("large", _entry(1, "ü" * 4_000), 60)


def test_an_answer_is_kept_for_its_time() -> None:
    now = 0.0
    memory = Memory(100_000, clock=lambda: now)
    memory.put("a", _entry(1), 5)
    now = 4.9
    assert memory.get("a")
    now = 5.0
    assert memory.get("a") is None


@pytest.fixture
async def shared(redis: str, namespace: str) -> AsyncGenerator[Shared]:
    opened = Redis(redis, namespace)
    yield opened
    await opened.close()


async def test_redis_compares_and_puts_in_one_step(shared: Shared) -> None:
    order = [*range(1, 60, 2), *range(58, 0, -2), 10**17, 10**17 - 1]
    await asyncio.gather(*(shared.put("a", _row(each), 60) for each in order))
    found = await shared.get("a")
    assert found is not None
    ((text, version),) = found.rows
    assert (found.position, text, version) == (10**17, f"at {10**17}", 1)
    assert not await shared.put("a", _row(10**17 - 1), 60)


async def test_a_redis_that_is_away_is_as_good_as_empty() -> None:
    away = Redis("redis://127.0.0.1:1/0", "n")
    assert await away.get("a") is None
    assert not await away.put("a", _row(1), 60)
    await away.close()


async def test_what_redis_holds_from_elsewhere_is_no_answer(shared: Shared) -> None:
    assert await shared.get("none") is None
    assert Entry.read(b"nonsense") is None
    assert Entry.read(b"0" * 20 + b"\xc1") is None


async def _stretch(models: ReadModels) -> Any:
    return await models.list("parcels", QueryOptions(cursor=Cursor(), limit=1))


def _cached(reader: Reader, where: str = "memory") -> ReadModels:
    cache = cache_of(where, namespace=reader.namespace, megabytes=1, seconds=60)
    return ReadModels(reader, [PARCELS], cache=cache)


async def _hears(models: ReadModels, position: Position) -> None:
    """Wait until answers are kept: it hears of rows, and they are there."""
    assert await models.wait("parcels", position, WITHIN)
    async with asyncio.timeout(WITHIN):
        while not models.keeps("parcels"):
            await asyncio.sleep(0.01)
