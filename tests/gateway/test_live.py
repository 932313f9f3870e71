"""Whoever listens hears what it wants, once, in order, from wherever it has got to."""

import asyncio
import socket
from random import Random
from typing import Any
from urllib.parse import quote, urlsplit

import asyncpg
import httpx2
import pytest

from tests.gateway.listening import listening
from tests.gateway.running import Circumstances, Running, problem, running, word
from treering import metrics, ulid
from treering.embedded import Addresses
from treering.gateway.live import LiveOptions

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def make(http: httpx2.AsyncClient, name: str, **fields: Any) -> httpx2.Response:
    body = {"name": f"{name} {ulid.new()}", **fields}
    response = await http.post("/api/v1/datasets", json=body)
    assert response.status_code == 201, response.text
    return response


def named(response: httpx2.Response) -> str:
    return response.json()["name"]


def namespace() -> str:
    return f"l-{ulid.new()[-12:].lower()}"


async def test_what_happens_is_heard_with_who_did_it_and_when(http: httpx2.AsyncClient) -> None:
    async with listening(http, "?kind=dataset") as heard:
        made = await make(http, "rain", rows=3)
        event = await heard.event()
    assert event["type"] == "dataset.created.v1"
    assert event["subject"] == f"dataset/{made.json()['id']}"
    assert event["version"] == 1
    assert event["actor"]
    assert event["recorded_at"].endswith("Z")
    assert event["data"]["rows"] == 3
    assert made.headers["treering-position"] == heard.last_id


@pytest.mark.parametrize(
    "query",
    [
        "?kind=dataset&data.rows[gte]=100",
        "?type=dataset.created.v1&data.rows=100",
        "?data.rows[in]=100,101",
        '?filter={"or":[{"data.rows":100},{"subject":"dataset/none"}]}',
        "?data.name[starts_with]=wanted",
    ],
)
async def test_only_what_is_wanted_is_heard(http: httpx2.AsyncClient, query: str) -> None:
    async with listening(http, query) as heard:
        await make(http, "other", rows=99)
        wanted = await make(http, "wanted", rows=100)
        assert await heard.names(1) == [named(wanted)]


async def test_one_entity_is_followed(http: httpx2.AsyncClient) -> None:
    made = await make(http, "one")
    path = f"/api/v1/datasets/{made.json()['id']}"
    async with listening(http, f"?subject=dataset/{made.json()['id']}&after=0") as heard:
        await make(http, "other")
        await http.patch(path, json={"rows": 1})
        await http.delete(path)
        types = [(await heard.event())["type"] for _ in range(3)]
    assert types == ["dataset.created.v1", "dataset.updated.v1", "dataset.deleted.v1"]


async def test_who_comes_back_has_no_gap_and_no_repetition(http: httpx2.AsyncClient) -> None:
    names: list[str] = []
    async with listening(http, "?kind=dataset") as heard:
        made = [named(await make(http, "rain")) for _ in range(3)]
        names += await heard.names(2)
        last = heard.last_id
    made += [named(await make(http, "rain")) for _ in range(3)]
    async with listening(http, "?kind=dataset&after=0", last) as heard:
        made.append(named(await make(http, "rain")))
        names += await heard.names(5)
    assert names == made


async def test_all_that_ever_happened_is_heard_from_the_store(servers: Addresses) -> None:
    little = Circumstances(live=LiveOptions(memory_bytes=2000))
    async with running(servers, namespace(), little) as service:
        async with listening(service.http):
            made = [named(await make(service.http, "rain")) for _ in range(30)]
        async with listening(service.http, "?kind=dataset&after=0") as heard:
            assert await heard.names(30) == made
            made = [named(await make(service.http, "rain")) for _ in range(3)]
            assert await heard.names(3) == made


async def test_what_another_gateway_has_told_is_not_told_again(service: Running) -> None:
    token = (await make(service.http, "rain")).headers["treering-position"]
    epoch, _, position = token.partition(":")
    ahead = f"{epoch}:{int(position) + 2}"
    async with listening(service.http, "?kind=dataset", ahead) as heard:
        made = [named(await make(service.http, "rain")) for _ in range(3)]
        assert await heard.names(1) == made[2:]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?data.rows[gte]=many&version=x", "version"),
        ("?sort=-time", "sort"),
        ("?kind=datasets", "'dataset'"),
        ("?knd=dataset", "'kind'"),
        ("?after=yesterday", "after"),
        ("?filter={", "JSON"),
    ],
)
async def test_what_is_wrong_is_told_before_anything_else(
    http: httpx2.AsyncClient, query: str, said: str
) -> None:
    response = await http.get(f"/api/v1/events{query}")
    assert response.status_code == 422
    assert said in str(problem(response)["errors"])


async def test_a_position_of_before_a_restore_is_refused(http: httpx2.AsyncClient) -> None:
    response = await http.get(
        "/api/v1/events", headers={"Accept": "text/event-stream", "Last-Event-ID": "other:7"}
    )
    assert response.status_code == 412
    assert word(response) == "other-epoch"


async def test_whoever_hears_nothing_is_told_how_far_it_is(servers: Addresses) -> None:
    quick = Circumstances(live=LiveOptions(keep_alive_seconds=0.05))
    async with (
        running(servers, namespace(), quick) as service,
        listening(service.http, "?type=none") as heard,
    ):
        token = (await make(service.http, "rain")).headers["treering-position"]
        async with asyncio.timeout(10):
            while heard.last_id != token:
                await heard.block()
        assert all(each.data is None for each in heard.blocks)


async def test_who_is_too_slow_is_cut_and_told_so(servers: Addresses) -> None:
    small = Circumstances(live=LiveOptions(backlog_bytes=50_000))
    async with running(servers, namespace(), small) as service:
        before = ended("too-slow")
        with socket.create_connection((urlsplit(service.url).hostname, _port(service.url))) as slow:
            slow.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            async with asyncio.timeout(60), listening(service.http) as other:
                for _ in range(14):
                    made = await make(service.http, "much", notes="x" * 700_000)
                    assert await other.names(1) == [named(made)]
            heard = await asyncio.to_thread(_rest, slow)
        assert ended("too-slow") == before + 1
    end = heard.rpartition(b"event: end")[2]
    assert b"urn:treering:error:too-slow" in end
    assert b"Go on from the last one you have" in end


def ended(reason: str) -> float:
    """Return how often the gateway has ended it for that reason."""
    samples = [sample for each in metrics.live_ended.collect() for sample in each.samples]
    return sum(each.value for each in samples if each.labels["reason"] == reason)


def _port(url: str) -> int:
    return urlsplit(url).port or 80


def _rest(slow: socket.socket) -> bytes:
    slow.settimeout(20)
    found = b""
    while not found.endswith(b"0\r\n\r\n"):
        found += slow.recv(1_000_000)
    return found


async def test_a_process_that_ends_sends_its_clients_to_another(servers: Addresses) -> None:
    async with running(servers, namespace()) as service:
        async with listening(service.http) as heard:
            service.stop.set()
            end = await heard.next()
            assert end.event == "end"
            assert end.data["type"] == "urn:treering:error:draining"
            with pytest.raises(EOFError):
                await heard.block()
        async with asyncio.timeout(3):
            await service.serving


async def test_what_was_purged_is_not_told_any_more(http: httpx2.AsyncClient) -> None:
    async with listening(http) as before:
        made = await make(http, "secret")
        path = f"/api/v1/datasets/{made.json()['id']}"
        await http.delete(path)
        assert (await http.post(f"{path}/$purge")).status_code == 204
        assert [(await before.event())["version"] for _ in range(3)] == [1, 2, 3]
    after = int(made.headers["treering-position"].partition(":")[2]) - 1
    async with listening(http, f"?after={after}") as heard:
        event = await heard.event()
    assert event["subject"] == f"dataset/{made.json()['id']}"
    assert event["data"] is None
    assert event["is_erased"] is True


async def test_however_many_listen_the_database_sees_one_reader(
    service: Running, servers: Addresses
) -> None:
    connection = await asyncpg.connect(servers.database)
    name = f"treering {service.reader.namespace}"

    async def listeners() -> int:
        return await connection.fetchval(
            "select count(*) from pg_stat_activity where application_name = $1"
            " and query like 'LISTEN%'",
            name,
        )

    async with listening(service.http):
        alone = await listeners()
        async with (
            listening(service.http),
            listening(service.http, "?kind=config"),
            listening(service.http, f"?filter={quote('{"version": 1}')}") as last,
        ):
            made = await make(service.http, "rain")
            assert await last.names(1) == [named(made)]
            assert await listeners() == alone == 1
    await connection.close()


async def test_many_who_come_and_go_hear_exactly_what_they_want(service: Running) -> None:
    lanes, each = [f"lane {number} {ulid.new()}" for number in range(10)], 12
    limits = httpx2.Limits(max_connections=None)
    begun = asyncio.Barrier(len(lanes) * 4 + 1)

    async def listen(lane: str, random: Random) -> list[int]:
        heard: list[int] = []
        last = None
        while len(heard) < each:
            async with listening(http, f"?kind=dataset&data.notes={lane}", last) as stream:
                if last is None:
                    last = stream.last_id
                    await begun.wait()
                count = min(random.randint(0, 3), each - len(heard))
                heard += [(await stream.event())["data"]["rows"] for _ in range(count)]
                last = stream.last_id
        return heard

    async with httpx2.AsyncClient(base_url=service.url, timeout=30, limits=limits) as http:
        tasks = [
            asyncio.create_task(listen(lane, Random(number)))  # noqa: S311 - a seed repeats a run
            for number, lane in enumerate(lanes * 4)
        ]
        await begun.wait()
        for number in range(each):
            await asyncio.gather(*(make(http, "rain", rows=number, notes=lane) for lane in lanes))
        for task in tasks:
            assert await task == [*range(each)]


async def test_a_head_is_answered_at_once(http: httpx2.AsyncClient) -> None:
    response = await http.head("/api/v1/events")
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"
