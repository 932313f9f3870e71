"""Appending: all or none, gapless, and an answer to each."""

import asyncio

import msgspec

from tests.store.asking import appended, as_owner, asking, hindered, together
from treering import ulid
from treering.errors import Problem
from treering.message import Verdict
from treering.store import Appended, Hindered, Reader, Request, Ruling, Stand, Store
from treering.testing.fixtures import Database


async def test_a_new_store_stands_at_nothing(store: Store) -> None:
    head = await store.head()
    assert (head.position, head.horizon) == (0, None)
    assert (await store.invariant(full=True)).holds


async def test_events_are_read_as_they_were_appended(store: Store, reader: Reader) -> None:
    request = asking("dataset/rain", count=2)
    answer = await appended(store, request)
    first, second = await reader.read(0)
    assert (first.position, second.position) == (1, 2)
    assert (first.version, second.version) == (1, 2)
    assert (first.id, first.body) == (request.entries[0].id, request.entries[0].body)
    assert first.recorded_at == second.recorded_at == answer.recorded_at
    assert (first.causation, first.actor) == (request.rulings[0].verdict.id, "test")
    assert (first.time, first.tenant) == (request.entries[0].origin.time, "default")


async def test_positions_go_on_without_a_gap(store: Store) -> None:
    for number in range(3):
        answer = await appended(store, asking(f"dataset/{number}", count=2))
        assert answer.base == 2 * number
    await hindered(store, asking("dataset/0"))
    assert (await appended(store, asking("dataset/3"))).base == 6
    assert (await store.invariant(full=True)).holds


async def test_many_at_once_are_each_answered(store: Store) -> None:
    answers = await asyncio.gather(*(store.append(asking(f"dataset/{n}")) for n in range(300)))
    bases = [answer.base for answer in answers if isinstance(answer, Appended)]
    assert sorted(bases) == list(range(300))
    assert store.statistics.commits < 300


async def test_a_stream_that_stands_elsewhere_is_a_conflict(store: Store) -> None:
    await appended(store, asking("dataset/rain", count=2))
    assert await hindered(store, asking("dataset/rain", 1)) == [
        ("conflict", "dataset/rain", None, 2)
    ]
    assert await hindered(store, asking("dataset/snow", 1)) == [
        ("conflict", "dataset/snow", None, 0)
    ]
    assert (await store.head()).position == 2


async def test_a_request_of_several_streams_is_all_or_none(store: Store) -> None:
    await appended(store, asking("dataset/rain"))
    refused = together(asking("dataset/snow"), asking("dataset/rain"))
    assert await hindered(store, refused) == [("conflict", "dataset/rain", None, 1)]
    assert await store.read_stream("dataset/snow") == []
    assert await store.verdict(refused.rulings[0].verdict.id) is None
    accepted = together(asking("dataset/snow"), asking("dataset/rain", 1))
    await appended(store, accepted)
    assert [event.stream for event in await store.read(1)] == ["dataset/snow", "dataset/rain"]


async def test_a_verdict_knows_all_streams_that_its_command_changed(store: Store) -> None:
    request = together(asking("dataset/snow"), asking("dataset/rain", count=2))
    await appended(store, request)
    verdict = await store.verdict(request.rulings[0].verdict.id)
    assert verdict is not None
    assert [(each.stream, each.version) for each in verdict.changes] == [
        ("dataset/snow", 1),
        ("dataset/rain", 2),
    ]
    assert verdict.positions == (1, 3)


async def test_a_guard_holds_a_stream_where_it_is_without_an_event(store: Store) -> None:
    await appended(store, asking("model/one"))
    guarded = asking("dataset/rain")
    for expected, word in ((0, Hindered), (1, Appended)):
        stands = [*guarded.stands, Stand("model/one", expected, expected)]
        request = Request(stands=stands, entries=guarded.entries, rulings=guarded.rulings)
        assert isinstance(await store.append(request), word)
    assert len(await store.read_stream("model/one")) == 1


async def test_a_guard_on_a_stream_that_must_not_exist_makes_none(
    store: Store, database: Database
) -> None:
    request = asking("dataset/rain", count=0, outcome="refused")
    assert (await appended(store, request)).base == 0
    assert await as_owner(database, "select count(*) from stream") == 0
    verdict = await store.verdict(request.rulings[0].verdict.id)
    assert verdict is not None
    assert (verdict.outcome, verdict.positions) == ("refused", None)


async def test_a_command_is_stored_once_however_often_it_comes(store: Store) -> None:
    request = asking("dataset/rain", command="once")
    await appended(store, request)
    again = await hindered(store, request)
    assert ("duplicate", "once", None, 0) in again
    assert ("duplicate", "once", None, 0) in await hindered(
        store, asking("dataset/snow", command="once")
    )
    assert (await store.head()).position == 1


async def test_one_command_at_the_same_moment_is_stored_once(store: Store) -> None:
    requests = [asking(f"dataset/{n}", command="once") for n in range(5)]
    answers = await store.append_all(requests)
    assert [type(answer) for answer in answers] == [Appended, *[Hindered] * 4]


async def test_neighbours_of_a_hindered_request_are_appended(store: Store) -> None:
    await appended(store, asking("dataset/0"))
    answers = await store.append_all([asking(f"dataset/{n}") for n in range(3)])
    assert [type(answer) for answer in answers] == [Hindered, Appended, Appended]
    assert store.statistics.hindered == 1


async def test_a_lone_hindered_request_is_counted(store: Store) -> None:
    await appended(store, asking("dataset/0"))
    await hindered(store, asking("dataset/0"))
    assert store.statistics.hindered == 1


async def test_one_stream_in_several_requests_is_appended_in_their_order(store: Store) -> None:
    requests = [asking("dataset/rain", n, body=f'{{"rows":{n}}}') for n in range(4)]
    answers = await store.append_all(requests)
    assert [answer.base for answer in answers if isinstance(answer, Appended)] == [0, 1, 2, 3]
    bodies = [event.body for event in await store.read_stream("dataset/rain")]
    assert bodies == [f'{{"rows":{n}}}' for n in range(4)]


async def test_a_verdict_is_found_by_tenant_and_id(store: Store) -> None:
    request = asking("dataset/rain", command=ulid.new())
    answer = await appended(store, request)
    verdict = await store.verdict(request.rulings[0].verdict.id)
    assert verdict is not None
    assert (verdict.outcome, verdict.stream, verdict.version) == ("accepted", "dataset/rain", 1)
    assert (verdict.fingerprint, verdict.positions) == (b"said", (1, 1))
    assert verdict.recorded_at == answer.recorded_at
    assert await store.verdict(verdict.id, "another") is None


async def test_a_problem_is_kept_with_its_verdict(store: Store) -> None:
    request = asking("dataset/rain", count=0, outcome="refused")
    (ruling,) = request.rulings
    problem: Problem = {"type": "urn:x", "status": 409, "largest": 2**70}
    kept = Request(
        stands=request.stands, rulings=[Ruling(_with_problem(ruling, problem))], entries=()
    )
    await appended(store, kept)
    verdict = await store.verdict(ruling.verdict.id)
    assert verdict is not None
    assert verdict.problem == problem


async def test_recorded_at_never_runs_backwards(store: Store, database: Database) -> None:
    await as_owner(database, "update head set recorded_at = '2100-01-01'")
    answer = await appended(store, asking("dataset/rain"))
    assert answer.recorded_at.year == 2100


def _with_problem(ruling: Ruling, problem: Problem) -> Verdict:
    return msgspec.structs.replace(ruling.verdict, problem=problem)
