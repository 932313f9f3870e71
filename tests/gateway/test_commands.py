"""Commands of any type can be said over HTTP, and asked after."""

import asyncio
from typing import Any

import httpx2
import pytest

from tests.gateway.running import BROKEN, Running, problem, word
from treering import ulid
from treering.bus import Topics
from treering.bus.kafka import new_producer, started
from treering.embedded import Addresses

pytestmark = pytest.mark.asyncio(loop_scope="module")
COMMANDS = "/api/v1/commands"


async def said(http: httpx2.AsyncClient, **event: object) -> httpx2.Response:
    return await http.post(COMMANDS, json=event)


async def settled(http: httpx2.AsyncClient, command: str) -> dict[str, Any]:
    """Return what became of *command*, once something has."""
    async with asyncio.timeout(20):
        while (found := (await http.get(f"{COMMANDS}/{command}")).json())["outcome"] == "pending":
            pass
    return found


async def test_a_kind_with_rules_of_its_own_is_spoken_to(http: httpx2.AsyncClient) -> None:
    run = f"run/{ulid.new()}"
    response = await said(http, type="run.start.v1", subject=run, data={"model": "lag"})
    assert response.status_code == 200
    assert response.json()["outcome"] == "accepted"
    assert (response.json()["stream"], response.json()["version"]) == (run, 1)
    assert response.headers["treering-position"].endswith(f":{response.json()['positions'][1]}")
    again = await said(http, type="run.start.v1", subject=run, data={"model": "lag"})
    assert (again.status_code, word(again)) == (409, "run-is-going")


async def test_a_command_said_twice_is_carried_out_once(http: httpx2.AsyncClient) -> None:
    event = {"type": "run.start.v1", "id": ulid.new(), "data": {"model": "lag"}}
    first, second = await said(http, **event), await said(http, **event)
    assert first.json() == second.json()
    other = await said(http, **event | {"data": {"model": "other"}})
    assert (other.status_code, word(other)) == (422, "id-reused")


async def test_what_became_of_a_command_can_be_asked_for(http: httpx2.AsyncClient) -> None:
    name = ulid.new()
    response = await said(
        http, type="dataset.create.v1", id=f"c-{name}", data={"name": name}, specversion="1.0"
    )
    found = await http.get(f"{COMMANDS}/c-{name}")
    assert (found.status_code, found.json()) == (200, response.json())
    assert found.json()["entity"]["name"] == name
    at = f"/api/v1/datasets/{found.json()['entity']['id']}"
    await http.put(at, json={"rows": 7})
    assert (await http.get(f"{COMMANDS}/c-{name}")).json() == response.json()


async def test_a_refusal_can_be_asked_for(http: httpx2.AsyncClient) -> None:
    command = ulid.new()
    await said(http, type="dataset.delete.v1", id=command, subject="dataset/none")
    found = (await http.get(f"{COMMANDS}/{command}")).json()
    assert (found["outcome"], found["problem"]["status"]) == ("refused", 404)


async def test_a_command_nobody_knows_is_pending(http: httpx2.AsyncClient) -> None:
    response = await http.get(f"{COMMANDS}/unheard-of")
    assert response.status_code == 200
    assert response.json() == {"command": "unheard-of", "outcome": "pending"}
    assert response.headers["retry-after"] == "1"


@pytest.mark.parametrize("wrong", ["x" * 129, "%0A"])
async def test_what_can_be_no_command_is_not_found(http: httpx2.AsyncClient, wrong: str) -> None:
    response = await http.get(f"{COMMANDS}/{wrong}")
    assert (response.status_code, word(response)) == (404, "not-found")


async def test_an_unknown_type_gets_a_suggestion(http: httpx2.AsyncClient) -> None:
    response = await said(http, type="run.strat.v1", data={})
    assert (response.status_code, word(response)) == (422, "validation-failed")
    assert problem(response)["errors"][0]["suggestion"] == "run.start.v1"


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"type": 7},
        {"type": "run.start.v1", "id": ""},
        {"type": "run.start.v1", "id": "a/b"},
        {"type": "run.start.v1", "id": "x" * 129},
        {"type": "run.start.v1", "expectedversion": -1},
        {"type": "run.start.v1", "dta": {}},
    ],
)
async def test_what_is_no_command_is_refused(
    http: httpx2.AsyncClient, event: dict[str, object]
) -> None:
    response = await said(http, **event)
    assert (response.status_code, word(response)) == (422, "validation-failed")


@pytest.mark.parametrize(
    ("member", "wrong"),
    [
        ("id", "abc\n"),
        ("subject", ""),
        ("subject", "run"),
        ("subject", "run/a\n"),
        ("subject", f"run/{'x' * 129}"),
        ("subject", f"{'x' * 129}/1"),
        ("subject", f"run/{'x' * 800_000}"),
    ],
    ids=lambda value: repr(value)[:12],
)
async def test_an_id_and_a_subject_have_to_be_of_their_form(
    http: httpx2.AsyncClient, member: str, wrong: str
) -> None:
    response = await said(http, type="run.start.v1", data={"model": "lag"}, **{member: wrong})
    assert (response.status_code, word(response)) == (422, "validation-failed")
    assert [each["path"] for each in problem(response)["errors"]] == [member]
    assert "A-Z a-z 0-9" in problem(response)["detail"]


async def test_a_body_that_does_not_fit_its_type_is_refused(http: httpx2.AsyncClient) -> None:
    response = await said(http, type="run.start.v1", data={"modle": "lag"})
    assert (response.status_code, word(response)) == (422, "validation-failed")
    assert {each["path"] for each in problem(response)["errors"]} == {"modle", "model"}


async def test_a_stream_that_moved_on_is_not_changed(http: httpx2.AsyncClient) -> None:
    response = await said(
        http, type="run.start.v1", subject=f"run/{ulid.new()}", expectedversion=3,
        data={"model": "lag"},
    )  # fmt: skip
    assert (response.status_code, word(response)) == (412, "wrong-version")


async def test_a_dead_letter_is_said_to_be_one(service: Running) -> None:
    names = [ulid.new(), ulid.new()]
    for name in names:
        await service.client.publish("run.stop.v1", b"{}", id=name)
        found = await settled(service.http, name)
        assert (found["outcome"], found["dead"]) == ("refused", True)
        assert found["problem"]["type"] == "urn:treering:error:unknown-type"
        assert "run.start.v1" in found["problem"]["detail"]


async def test_a_dead_letter_has_the_status_that_its_sender_was_told(
    http: httpx2.AsyncClient,
) -> None:
    command = ulid.new()
    told = await said(http, type="run.start.v1", id=command, data={"model": BROKEN})
    assert (told.status_code, word(told)) == (500, "rule-failed")
    found = await settled(http, command)
    assert (found["dead"], found["problem"]["status"]) == (True, 500)


async def test_a_record_too_large_is_a_dead_letter_of_that_status(
    service: Running, servers: Addresses
) -> None:
    command = ulid.new()
    headers = [("ce_type", b"run.start.v1"), ("ce_id", command.encode())]
    async with started(new_producer(servers.kafka)) as producer:
        topic = Topics(service.reader.namespace).commands
        await (await producer.send(topic, b" " * 900_001, headers=headers))
    found = await settled(service.http, command)
    assert (found["dead"], found["problem"]["status"]) == (True, 413)


async def test_a_wrong_subject_is_a_dead_letter_and_says_so(http: httpx2.AsyncClient) -> None:
    response = await said(http, type="run.start.v1", subject="train/1", data={"model": "lag"})
    assert (response.status_code, word(response)) == (400, "wrong-subject")


async def test_a_command_of_a_newer_release_waits_for_it(http: httpx2.AsyncClient) -> None:
    said_so = {"type": "dataset.create.v1", "id": ulid.new(), "dataschema": "dataset.create.v1.9"}
    response = await said(http, **said_so, data={"name": ulid.new(), "later": 1})
    assert (response.status_code, word(response)) == (503, "parked")
    assert "retry-after" not in response.headers
    found = await http.get(response.json()["status_url"])
    assert found.json() == {"command": said_so["id"], "outcome": "parked"}
