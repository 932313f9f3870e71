"""The committer: batches, back-pressure, draining, and what becomes of those who wait."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import asyncpg
import msgspec
import pytest
from structlog.testing import capture_logs

from tests.store.asking import appended, asking, owner_of, soon
from treering.errors import BadRequest, Problem, StoreNotReady, StoreUnavailable
from treering.store import Appended, Request, Ruling, Store
from treering.store.connecting import schema_of
from treering.testing.fixtures import Database

BLOCKED = "select pid from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))"


@asynccontextmanager
async def locked_head(database: Database) -> AsyncGenerator[asyncpg.Connection]:
    """Hold the head, so that no append gets on."""
    connection = await owner_of(database)
    try:
        async with connection.transaction():
            await connection.execute("select from head for update")
            yield connection
    finally:
        await connection.close()


def too_long() -> str:
    """Return a stream that no index of PostgreSQL can take."""
    return f"dataset/{secrets.token_hex(10_000)}"


async def test_what_postgresql_refuses_never_fails_its_neighbours(store: Store) -> None:
    requests = [asking(f"dataset/{n}") for n in range(7)]
    requests[3:3] = [asking(too_long())]
    answers = await store.append_all(requests)
    assert isinstance(answers.pop(3), BadRequest)
    assert all(isinstance(answer, Appended) for answer in answers)
    assert (await store.head()).position == 7
    assert (await store.invariant(full=True)).holds


async def test_large_requests_go_in_several_calls(store: Store) -> None:
    body = f'{{"name":"{"x" * 800_000}"}}'
    answers = await store.append_all([asking(f"dataset/{n}", body=body) for n in range(40)])
    assert all(isinstance(answer, Appended) for answer in answers)
    assert store.statistics.commits >= 3


async def test_two_bad_requests_are_both_found(store: Store) -> None:
    answers = await store.append_all([asking(too_long()), asking("dataset/1"), asking(too_long())])
    assert [type(answer) for answer in answers] == [BadRequest, Appended, BadRequest]


@pytest.mark.parametrize("body", ['{"name":"\0"}', '{"name":"\ud800"}', '{"name":"\x1f"}'])
async def test_text_that_cannot_be_stored_is_refused_in_words(store: Store, body: str) -> None:
    bad, good = await store.append_all([asking("dataset/1", body=body), asking("dataset/2")])
    assert isinstance(bad, BadRequest)
    assert "refuses it" in str(bad) or "cannot hold" in str(bad) or "cannot be written" in str(bad)
    assert isinstance(good, Appended)


@pytest.mark.parametrize("found", [object(), "\ud800"])
async def test_a_problem_that_is_no_json_is_a_bad_request(store: Store, found: object) -> None:
    bad = _with_problem(asking("dataset/1"), {"found": found})
    answers = await store.append_all([bad, asking("dataset/2")])
    assert [type(answer) for answer in answers] == [BadRequest, Appended]


async def test_numbers_have_their_64_bits(store: Store, database: Database) -> None:
    owner = await owner_of(database)
    await owner.execute("update head set position = $1", 2**40)
    await owner.close()
    assert (await appended(store, asking("dataset/1"))).base == 2**40
    with pytest.raises(BadRequest):
        await store.append(asking("dataset/2", 2**31))


async def test_nobody_waits_for_ever_behind_a_full_queue(
    store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treering.store.committer._WAITING", 10)
    async with locked_head(database) as owner:
        first = asyncio.create_task(store.append(asking("dataset/first")))
        await soon(lambda: owner.fetchval(BLOCKED))
        more = [asyncio.create_task(store.append(asking(f"dataset/{n}"))) for n in range(50)]
        several = asyncio.create_task(store.append_all([asking("dataset/a"), asking("dataset/b")]))
        await owner.fetchval("select 1")
        assert store.statistics.waiting == 10
    answers = [await first, *await asyncio.gather(*more), *await several]
    assert all(isinstance(answer, Appended) for answer in answers)
    assert store.statistics.waiting == 0


async def test_who_comes_late_waits_until_a_crowd_has_shrunk(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treering.store.committer._WAITING", 3)
    crowd = store.append_all([asking("dataset/rain", version) for version in range(10)])
    answers, late = await asyncio.gather(crowd, store.append(asking("dataset/snow")))
    assert [answer.base for answer in answers if isinstance(answer, Appended)] != [*range(10)]
    assert isinstance(late, Appended)
    assert 0 < late.base < 10


async def test_closing_finishes_what_waits(store: Store) -> None:
    waiting = [asyncio.create_task(store.append(asking(f"dataset/{n}"))) for n in range(50)]
    await asyncio.sleep(0)
    await store.close()
    assert all(isinstance(answer, Appended) for answer in await asyncio.gather(*waiting))
    with pytest.raises(StoreUnavailable, match="closing"):
        await store.append(asking("dataset/late"))


async def test_who_gave_up_is_passed_over(store: Store, database: Database) -> None:
    async with locked_head(database) as owner:
        held = asyncio.create_task(store.append(asking("dataset/held")))
        await soon(lambda: owner.fetchval(BLOCKED))
        gone = asyncio.create_task(store.append(asking("dataset/gone")))
        kept = asyncio.create_task(store.append(asking("dataset/kept")))
        await asyncio.sleep(0)
        held.cancel()
        gone.cancel()
    await kept
    assert [event.stream for event in await store.read(0)] == ["dataset/held", "dataset/kept"]


async def test_a_killed_connection_leaves_it_open_and_the_next_one_serves(
    store: Store, database: Database
) -> None:
    async with locked_head(database) as owner:
        waiting = asyncio.create_task(store.append(asking("dataset/1")))
        await soon(lambda: owner.fetchval(BLOCKED))
        await owner.fetchval("select pg_terminate_backend($1)", await owner.fetchval(BLOCKED))
        with pytest.raises(StoreUnavailable):
            await waiting
    assert (await appended(store, asking("dataset/1"))).base == 0


async def test_a_backend_that_dies_idle_is_not_noticed(store: Store, database: Database) -> None:
    await appended(store, asking("dataset/1"))
    owner = await owner_of(database)
    await owner.fetch(
        "select pg_terminate_backend(pid, 10000) from pg_stat_activity "
        "where application_name = $1", f"treering {schema_of(database.namespace)} committer",
    )  # fmt: skip
    await owner.close()

    async def served() -> bool:
        try:
            return isinstance(await store.append(asking("dataset/2")), Appended)
        except StoreUnavailable:
            return False

    await soon(served)


async def test_a_committer_that_fails_says_so_for_good(store: Store) -> None:
    nonsense = Request(stands=[], rulings=[], entries=[cast("Any", SimpleNamespace(body=""))])
    with capture_logs() as logs:
        answers = await store.append_all([nonsense, asking("dataset/1")])
    assert [type(answer) for answer in answers] == [StoreNotReady] * 2
    (log,) = logs
    assert (log["event"], log["log_level"]) == ("The committer failed", "error")
    assert "AttributeError" in log["exception"]
    with pytest.raises(StoreNotReady, match="start this process again"):
        await store.append(asking("dataset/2"))


async def test_who_asks_for_nothing_does_not_wait(store: Store) -> None:
    assert await store.append_all([]) == []
    assert store.statistics.commits == 0


async def test_a_crowd_at_one_stream_lets_others_pass(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treering.store.waiting._SCANNED", 3)
    crowd = [asking("dataset/rain", version) for version in range(10)]
    answers = await store.append_all([*crowd, asking("dataset/snow")])
    assert [answer.base for answer in answers if isinstance(answer, Appended)] == [
        *range(8), 9, 10, 8,
    ]  # fmt: skip


async def test_statistics_count_what_was_done(store: Store) -> None:
    await appended(store, asking("dataset/1", count=3))
    await appended(store, asking("dataset/2", count=2))
    found = store.statistics
    assert (found.commits, found.requests, found.events, found.waiting) == (2, 2, 5, 0)
    assert [size for size, _ in found.observe] == [3, 2]
    assert 0 < found.seconds < 10


async def test_observations_nobody_takes_are_bounded(store: Store) -> None:
    for _ in range(1005):
        store.statistics.committed(1, 1, 0.1)
    assert len(store.statistics.observe) == 1000


def _with_problem(request: Request, problem: Problem) -> Request:
    (ruling,) = request.rulings
    verdict = msgspec.structs.replace(ruling.verdict, outcome="refused", problem=problem)
    return Request(stands=[], rulings=[Ruling(verdict)])
