"""Who has a key is let in, and known by name; nobody else is, once there is one."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import msgspec
import pytest
import pytest_asyncio

from tests.gateway.running import Circumstances, Running, problem, running, word
from treering import ulid
from treering.bus import Client
from treering.embedded import Addresses

pytestmark = pytest.mark.asyncio(loop_scope="module")
KEY = "sk_tests_0123456789"
KEYS = "/api/v1/api-keys"
DATASETS = "/api/v1/datasets"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def locked(servers: Addresses) -> AsyncGenerator[Running]:
    """A service with a configured key, which `http` says."""
    said = Circumstances(configured=[KEY])
    async with running(servers, f"k-{ulid.new()[-12:].lower()}", said) as started:
        yield started


async def issued(locked: Running, name: str, **fields: Any) -> str:
    """Make a key and return it."""
    made = await locked.http.post(KEYS, json={"name": name, **fields})
    assert made.status_code == 201, made.text
    return made.json()["key"]


async def asked(locked: Running, method: str, path: str, key: str | None, **words: Any) -> Any:
    """Return the answer to whoever has *key*."""
    headers = {} if key is None else {"X-API-Key": key}
    async with httpx2.AsyncClient(base_url=locked.url, timeout=30) as http:
        return await http.request(method, path, headers=headers, **words)


async def test_without_a_key_in_the_service_everybody_is_let_in(http: httpx2.AsyncClient) -> None:
    assert (await http.get(DATASETS)).status_code == 200
    assert (await http.get(KEYS)).json() == []


@pytest.mark.parametrize(
    "path", [DATASETS, "/api/v1/info", "/metrics", "/nowhere", "/health/", KEYS]
)
async def test_without_a_key_nothing_is_read(locked: Running, path: str) -> None:
    refused = await asked(locked, "GET", path, None)
    assert (refused.status_code, word(refused)) == (401, "unauthorized")
    assert problem(refused)["detail"] == "Missing authentication header: X-API-Key"
    assert 'header="X-API-Key"' in refused.headers["www-authenticate"]
    assert refused.headers["x-request-id"]


@pytest.mark.parametrize("key", ["", "trk_", KEY[:-1], f"{KEY}0", "trk_0_0", "a" * 9999, "é"])
async def test_a_wrong_key_is_refused(locked: Running, key: str) -> None:
    async with httpx2.AsyncClient(base_url=locked.url) as http:
        refused = await http.get(DATASETS, headers=[(b"X-API-Key", key.encode())])
    assert (refused.status_code, problem(refused)["detail"]) == (401, "Invalid API key")


async def test_a_key_is_said_once(locked: Running) -> None:
    async with httpx2.AsyncClient(base_url=locked.url) as http:
        refused = await http.get(DATASETS, headers=[("X-API-Key", KEY), ("X-API-Key", KEY)])
    assert (refused.status_code, word(refused)) == (401, "unauthorized")


@pytest.mark.parametrize("path", ["/", "/health", "/health/live", "/openapi.json"])
async def test_what_is_open_is_read_without(locked: Running, path: str) -> None:
    assert (await asked(locked, "GET", path, None)).status_code == 200
    assert (await asked(locked, "POST", path, None)).status_code == 401


async def test_a_key_is_shown_once_and_let_in(locked: Running) -> None:
    name = ulid.new()
    made = await locked.http.post(KEYS, json={"name": name, "access": "read", "note": "tests"})
    key = made.json()["key"]
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    assert made.headers["location"].endswith(f"{KEYS}/{name}")
    assert (await asked(locked, "GET", DATASETS, key)).status_code == 200
    seen = (await locked.http.get(f"{KEYS}/{name}")).json()
    assert seen == {k: v for k, v in made.json().items() if k != "key"} | {"lets_in": True}
    assert seen in (await locked.http.get(KEYS)).json()


async def test_what_was_made_is_kept_nowhere(locked: Running) -> None:
    name = ulid.new()
    key = await issued(locked, name)
    secret = key.rpartition("_")[2]
    (event,) = await locked.reader.read_stream(f"api-key/{name}")
    verdict = await locked.http.get(f"/api/v1/commands/{event.causation}")
    assert verdict.json()["entity"]["prefix"] == key.split("_")[1]
    assert secret not in msgspec.json.encode(event).decode() + verdict.text
    assert "digest" not in verdict.text


async def test_events_say_who_it_was(locked: Running) -> None:
    name = ulid.new()
    key = await issued(locked, name)
    made = await asked(locked, "POST", DATASETS, key, json={"name": name})
    history = await locked.http.get(f"{DATASETS}/{made.json()['id']}/$history")
    assert [each["actor"] for each in history.json()["items"]] == [f"api-key/{name}"]
    (event,) = await locked.reader.read_stream(f"api-key/{name}")
    assert event.actor.startswith("configured-key/")


async def test_whoever_may_read_does_not_write(locked: Running) -> None:
    key = await issued(locked, ulid.new(), access="read")
    for method, path in (("POST", DATASETS), ("DELETE", f"{DATASETS}/x"), ("POST", "/nowhere")):
        refused = await asked(locked, method, path, key, json={})
        assert (refused.status_code, word(refused)) == (403, "forbidden")


async def test_whoever_may_write_makes_no_keys(locked: Running) -> None:
    name = ulid.new()
    key = await issued(locked, name)
    said: dict[str, Any] = {"type": "api-key.revoke.v1", "subject": f"api-key/{name}", "data": {}}
    asked_for: list[tuple[str, str, dict[str, Any] | None]] = [
        ("GET", KEYS, None),
        ("GET", f"{KEYS}/{name}", None),
        ("GET", "/api/v1/audit", None),
        ("GET", "/api/v1/audit/dataset/x", None),
        ("POST", KEYS, {"name": ulid.new()}),
        ("DELETE", f"{KEYS}/{name}", None),
        ("POST", f"{KEYS}/{name}/$rotate", {}),
        ("POST", "/api/v1/commands", said),
    ]
    for method, path, body in asked_for:
        refused = await asked(locked, method, path, key, json=body)
        assert (refused.status_code, word(refused)) == (403, "forbidden"), path
    assert (await asked(locked, "GET", DATASETS, key)).status_code == 200


async def test_a_revoked_key_stops_working_at_once(locked: Running) -> None:
    name = ulid.new()
    key = await issued(locked, name)
    assert (await locked.http.delete(f"{KEYS}/{name}")).status_code == 204
    assert (await asked(locked, "GET", DATASETS, key)).status_code == 401
    assert (await locked.http.get(f"{KEYS}/{name}")).json()["is_revoked"] is True
    again = await locked.http.post(KEYS, json={"name": name})
    assert (again.status_code, word(again)) == (409, "already-exists")


async def test_what_others_revoke_stops_working_within_a_second(locked: Running) -> None:
    name = ulid.new()
    key = await issued(locked, name)
    subject = f"api-key/{name}"
    await locked.client.ask("api-key.revoke.v1", {}, subject=subject, actor="somebody")
    async with asyncio.timeout(1):
        while (await asked(locked, "GET", DATASETS, key)).status_code != 401:
            pass


async def test_another_key_takes_its_place(locked: Running) -> None:
    name = ulid.new()
    before = await issued(locked, name)
    rotated = await locked.http.post(f"{KEYS}/{name}/$rotate", json={})
    assert (await asked(locked, "GET", DATASETS, before)).status_code == 401
    assert (await asked(locked, "GET", DATASETS, rotated.json()["key"])).status_code == 200


async def test_a_page_shows_a_passer_by_nothing_of_what_is_stored(locked: Running) -> None:
    async with httpx2.AsyncClient(base_url=locked.url) as http:
        shown = await http.get("/", headers={"Accept": "text/html"})
        assert (shown.status_code, "API key" in shown.text) == (200, True)
        assert "Collections" not in shown.text
        http.headers["X-API-Key"] = KEY
        assert "Collections" in (await http.get("/", headers={"Accept": "text/html"})).text


@pytest.mark.parametrize("how", ["revoke", "rotate", "end"])
async def test_a_stream_ends_with_its_key(locked: Running, how: str) -> None:
    name = ulid.new()
    end = (datetime.now(UTC) + timedelta(seconds=2)).isoformat() if how == "end" else None
    headers = {"X-API-Key": await issued(locked, name, expires_at=end)}
    async with (
        httpx2.AsyncClient(base_url=locked.url, headers=headers, timeout=10) as http,
        http.stream("GET", "/api/v1/events") as stream,
    ):
        parts = stream.aiter_text()
        assert (await anext(parts)).startswith("retry:")
        if how == "revoke":
            await locked.http.delete(f"{KEYS}/{name}")
        if how == "rotate":
            await locked.http.post(f"{KEYS}/{name}/$rotate", json={})
        said = "".join([part async for part in parts])
    assert "event: end" in said
    assert "urn:treering:error:unauthorized" in said


async def test_a_key_ends_when_it_was_said_to(locked: Running) -> None:
    end = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    key = await issued(locked, ulid.new(), expires_at=end)
    async with asyncio.timeout(5):
        while (await asked(locked, "GET", DATASETS, key)).status_code != 401:
            pass
    late = await locked.http.post(KEYS, json={"name": ulid.new(), "expires_at": end})
    assert (late.status_code, word(late)) == (422, "validation-failed")


WRONG: list[dict[str, Any]] = [
    {},
    {"name": 1},
    {"name": "a/b"},
    {"name": ".."},
    {"name": "x", "digest": "0" * 64},
    {"name": "x", "access": "all"},
    {"name": "x", "other": 1},
    {"name": "x", "note": "x" * 201},
]


@pytest.mark.parametrize("body", WRONG, ids=str)
async def test_what_is_no_key_is_refused(locked: Running, body: dict[str, Any]) -> None:
    refused = await locked.http.post(KEYS, json=body)
    assert (refused.status_code, word(refused)) == (422, "validation-failed")
    assert problem(refused)["errors"]


async def test_one_that_is_not_there_is_not_found(locked: Running) -> None:
    for method, path in (("GET", "x"), ("DELETE", "x"), ("DELETE", "a,b"), ("POST", "x/$rotate")):
        refused = await locked.http.request(method, f"{KEYS}/{path}", json={})
        assert (refused.status_code, word(refused)) == (404, "not-found")


async def test_once_there_is_a_key_commands_are_signed(locked: Running, servers: Addresses) -> None:
    stranger = Client(servers.kafka, namespace=locked.reader.namespace, source="/stranger")
    async with stranger:
        outcome = await stranger.ask("dataset.create.v1", {"name": "x"}, subject="dataset/strange")
    assert outcome.dead
    assert outcome.problem is not None
    assert outcome.problem["type"].endswith(":unsigned")
    assert (await locked.http.get(f"{DATASETS}/strange")).status_code == 404
