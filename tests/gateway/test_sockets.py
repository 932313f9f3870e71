"""Whoever subscribes is shown what there is, and then every change, without a hole in between."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx2
import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.gateway.listening import listening
from tests.gateway.running import Circumstances, Running, running
from tests.gateway.speaking import Speaking, speaking
from treering import ulid
from treering.embedded import Addresses
from treering.gateway.live import LiveOptions

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATH = "/api/v1/datasets"


def name() -> str:
    return f"rain {ulid.new()}"


async def make(http: httpx2.AsyncClient, **fields: Any) -> str:
    response = await http.post(PATH, json={"name": name(), **fields})
    assert response.status_code == 201, response.text
    return response.json()["id"]


async def changes(client: Speaking, count: int) -> list[tuple[str, str]]:
    found = [await client.hear() for _ in range(count)]
    assert {each["type"] for each in found} == {"change"}, found
    return [(each["change"], each["entity"]["id"]) for each in found]


def word(message: Mapping[str, Any]) -> str:
    assert message["type"] == "error", message
    return message["problem"]["type"].rpartition(":")[2]


async def test_what_there_is_is_shown_and_then_what_comes(service: Running) -> None:
    mark = name()
    there = await make(service.http, notes=mark, rows=1)
    async with speaking(service.url) as client:
        shown = await client.subscribe("mine", collection="datasets", filter={"notes": mark})
        assert shown["type"] == "snapshot"
        assert [each["id"] for each in shown["items"]] == [there]
        await make(service.http, notes="other")
        comes = await make(service.http, notes=mark)
        change = await client.hear()
        assert (change["change"], change["entity"]["id"]) == ("added", comes)
        assert change["entity"] == (await service.http.get(f"{PATH}/{comes}")).json()
        assert change["event"]["type"] == "dataset.created.v1"
        assert change["position"].endswith(f":{change['event']['position']}")


async def test_entities_come_to_match_and_match_no_longer(service: Running) -> None:
    http, mark = service.http, name()
    one = f"{PATH}/{await make(http, notes=mark, rows=1)}"
    named = one.rpartition("/")[2]
    wanted = {"notes": mark, "rows[gte]": 10}
    async with speaking(service.url) as client:
        shown = await client.subscribe("large", collection="datasets", filter=wanted)
        assert shown["items"] == []
        await http.patch(one, json={"rows": 10})
        await http.patch(one, json={"rows": 11})
        await http.patch(one, json={"rows": 9})
        await http.patch(one, json={"rows": 8})
        await http.patch(one, json={"rows": 12})
        await http.delete(one)
        await http.post(f"{one}/$restore")
        await http.post(f"{one}/$purge")
        said = ["added", "changed", "removed", "added", "removed", "added", "removed"]
        assert await changes(client, 7) == [(each, named) for each in said]


async def test_nothing_is_missed_and_nothing_comes_twice_while_much_happens(
    service: Running,
) -> None:
    http, mark = service.http, name()
    stop = asyncio.Event()
    made: list[str] = []

    async def work() -> None:
        while not stop.is_set():
            made.append(await make(http, notes=mark))

    workers = [asyncio.create_task(work()) for _ in range(3)]
    seen: dict[str, list[str]] = {}
    async with speaking(service.url) as client:
        for number in range(10):
            named = f"s{number}"
            await client.say(type="subscribe", id=named, collection="datasets",
                             filter={"notes": mark})  # fmt: skip
        while len(seen) < 10:
            _note(seen, await client.hear())
        stop.set()
        await asyncio.gather(*workers)
        while any(len(each) < len(made) for each in seen.values()):
            _note(seen, await client.hear())
    assert all(sorted(each) == sorted(made) for each in seen.values())


def _note(seen: dict[str, list[str]], message: Mapping[str, Any]) -> None:
    if message["type"] == "snapshot":
        seen[message["id"]] = [each["id"] for each in message["items"]]
    else:
        assert message["change"] == "added"
        seen[message["id"]].append(message["entity"]["id"])


async def test_events_are_told_until_they_are_not_wanted(service: Running) -> None:
    async with speaking(service.url) as client:
        wanted = {"kind": "dataset", "data.rows[gte]": 7}
        assert (await client.subscribe("e", filter=wanted))["type"] == "subscribed"
        await make(service.http, rows=6)
        named = await make(service.http, rows=7)
        told = await client.hear()
        assert (told["type"], told["id"]) == ("event", "e")
        assert told["event"]["subject"] == f"dataset/{named}"
        await client.say(type="unsubscribe", id="e")
        assert await client.hear() == {"type": "unsubscribed", "id": "e"}
        await make(service.http, rows=8)
        await client.say(type="ping")
        assert (await client.hear())["type"] == "pong"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("{", "bad-request"),
        ('{"type": "subscribe"}', "bad-request"),
        ('{"type": "sub", "id": "a"}', "bad-request"),
        ('{"type": "subscribe", "id": "a", "colection": "datasets"}', "bad-request"),
        ('{"type": "unsubscribe", "id": "none"}', "bad-request"),
        ('{"type": "subscribe", "id": "a", "collection": "dataset"}', "validation-failed"),
        (
            '{"type": "subscribe", "id": "a", "collection": "datasets", "filter": {"rows": "x"}}',
            "validation-failed",
        ),
        ('{"type": "subscribe", "id": "a", "filter": {"nothing": 1}}', "validation-failed"),
    ],
)
async def test_what_is_wrong_is_said_and_the_rest_goes_on(
    service: Running, said: str, expected: str
) -> None:
    async with speaking(service.url) as client:
        await client.subscribe("good", filter={"kind": "dataset"})
        await client.connection.send(said)
        assert word(await client.hear()) == expected
        await make(service.http)
        assert (await client.hear())["id"] == "good"


async def test_a_name_is_taken_once(service: Running) -> None:
    async with speaking(service.url) as client:
        await client.subscribe("a", filter={"kind": "dataset"})
        assert word(await client.subscribe("a", filter={"kind": "config"})) == "bad-request"


@pytest.mark.parametrize(
    ("headers", "status", "expected"),
    [
        ({"Origin": "https://elsewhere.example"}, 403, "cross-site"),
        ({"Origin": "null"}, 403, "cross-site"),
        ({"Sec-Fetch-Site": "cross-site"}, 403, "cross-site"),
    ],
)
async def test_a_page_of_another_site_is_not_let_in(
    service: Running, headers: dict[str, str], status: int, expected: str
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with speaking(service.url, **headers):
            pass
    response = refused.value.response
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert msgspec.json.decode(response.body or b"")["type"].endswith(expected)


async def test_a_page_of_this_address_is_let_in(service: Running) -> None:
    async with speaking(service.url, Origin=service.url) as client:
        await client.say(type="ping")
        assert (await client.hear())["type"] == "pong"


async def test_a_process_that_ends_says_so(servers: Addresses) -> None:
    async with running(servers, f"l-{ulid.new()[-12:].lower()}") as started:
        async with speaking(started.url) as client:
            await client.subscribe("a", collection="datasets")
            started.stop.set()
            assert word(await client.hear()) == "draining"
            with pytest.raises(ConnectionClosed) as closed:
                await client.hear()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012
            assert "come back" in closed.value.rcvd.reason
        async with asyncio.timeout(5):
            await started.serving


async def test_who_is_too_slow_is_cut_and_told_so(servers: Addresses) -> None:
    small = Circumstances(live=LiveOptions(backlog_bytes=50_000))
    async with (
        running(servers, f"l-{ulid.new()[-12:].lower()}", small) as started,
        speaking(started.url) as slow,
        listening(started.http) as other,
    ):
        await slow.subscribe("a", filter={"kind": "dataset"})
        slow.connection.transport.pause_reading()
        for _ in range(16):
            await make(started.http, notes="x" * 700_000)
            await other.event()
        slow.connection.transport.resume_reading()
        while (last := await slow.hear())["type"] == "event":
            pass
        assert word(last) == "too-slow"
        with pytest.raises(ConnectionClosed) as closed:
            await slow.hear()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1013
