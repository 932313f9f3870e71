"""Who did what, when, from which request, and what it changed."""

from collections.abc import Sequence
from typing import Any

import httpx2
import pytest

from tests.gateway.running import Running, problem, word
from treering import ulid
from treering.gateway.service.trail import Trail, Wanted
from treering.message import Stored

pytestmark = pytest.mark.asyncio(loop_scope="module")
AUDIT = "/api/v1/audit"
DATASETS = "/api/v1/datasets"


async def changed(http: httpx2.AsyncClient, times: int = 3) -> tuple[str, str]:
    """Create a dataset and change it; return its id and the request that created it."""
    request = ulid.new()
    said = {"name": ulid.new(), "rows": 0}
    made = await http.post(DATASETS, json=said, headers={"X-Request-ID": request})
    named = made.json()["id"]
    for rows in range(1, times):
        assert (await http.put(f"{DATASETS}/{named}", json={"rows": rows})).status_code == 200
    return named, request


async def items(http: httpx2.AsyncClient, path: str = AUDIT, **asked: Any) -> Sequence[Any]:
    """Return the changes that are answered."""
    answer = await http.get(path, params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_it_says_who_what_when_and_from_where(http: httpx2.AsyncClient) -> None:
    named, request = await changed(http)
    last, _, first = await items(http, f"{AUDIT}/dataset/{named}")
    assert first["changes"]["rows"] == {"after": 0}
    assert last["changes"] == {"rows": {"before": 1, "after": 2}}
    assert (first["request"], first["version"], first["actor"]) == (request, 1, "http")
    assert (first["type"], first["entity"]) == ("dataset.created.v1", f"dataset/{named}")
    verdict = await http.get(f"/api/v1/commands/{last['command']}")
    assert verdict.json()["positions"] == [last["position"]] * 2


@pytest.mark.parametrize("narrowed", ["entity", "request", "since"])
async def test_it_can_be_narrowed(http: httpx2.AsyncClient, narrowed: str) -> None:
    named, request = await changed(http)
    all_ = await items(http, entity=f"dataset/{named}")
    asked = {"entity": f"dataset/{named}", "request": request, "since": all_[1]["recorded_at"]}
    found = await items(http, **{narrowed: asked[narrowed]})
    positions = [each["position"] for each in all_]
    wanted = {"entity": positions, "request": positions[2:], "since": positions[:2]}
    assert [each["position"] for each in found] == wanted[narrowed]


async def test_it_ends_when_it_is_told(http: httpx2.AsyncClient) -> None:
    named, _ = await changed(http)
    _, middle, first = await items(http, entity=f"dataset/{named}")
    until = await items(http, until=middle["recorded_at"])
    assert [each["position"] for each in until[:2]] == [middle["position"], first["position"]]
    assert await items(http, until="2001-01-01T00:00:00Z") == []
    assert await items(http, since="2999-01-01T00:00:00Z") == []


async def test_actors_kinds_and_types_are_told_apart(service: Running) -> None:
    http, actor = service.http, ulid.new()
    await service.client.ask(
        "dataset.create.v1", {"name": actor}, subject=f"dataset/{actor}", actor=actor
    )
    (found,) = await items(http, actor=actor)
    assert (found["entity"], found["actor"]) == (f"dataset/{actor}", actor)
    assert await items(http, actor=actor, kind="dataset", type="dataset.created.v1") == [found]
    assert await items(http, actor=actor, kind="data") == []
    assert await items(http, actor=actor, type="dataset.updated.v1") == []
    assert await items(http, f"{AUDIT}/dataset/{actor}", actor="nobody") == []


async def test_it_goes_on_where_a_page_ends(http: httpx2.AsyncClient) -> None:
    named, _ = await changed(http, times=5)
    seen: list[int] = []
    asked: dict[str, Any] = {"size": 2}
    for _ in range(10):
        page = (await http.get(f"{AUDIT}/dataset/{named}", params=asked)).json()
        seen += [each["version"] for each in page["items"]]
        if page["next"] is None:
            break
        asked["before"] = page["next"]
    assert seen == [5, 4, 3, 2, 1]


async def test_a_bounded_stretch_is_looked_at(
    service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treering.gateway.service.trail._STRETCH", 2)
    named, request = await changed(service.http, times=6)
    trail = Trail(service.reader, service.registry)
    wanted, looks = Wanted(request=request), 0
    found: Sequence[Stored] = ()
    while not found:
        found, following = await trail.find(wanted)
        assert following is not None
        wanted, looks = Wanted(request=request, before=following), looks + 1
    assert [each.stream for each in found] == [f"dataset/{named}"]
    assert looks == 3


async def test_what_was_purged_tells_nothing_any_more(http: httpx2.AsyncClient) -> None:
    named, _ = await changed(http)
    await http.post(f"{DATASETS}/{named}/$purge")
    purged, *before = await items(http, entity=f"dataset/{named}")
    assert purged["type"] == "dataset.purged.v1"
    assert [each["is_erased"] for each in before] == [True] * 3
    assert all("changes" not in each for each in before)


async def test_kinds_with_rules_of_their_own_are_told_too(service: Running) -> None:
    run = f"run/{ulid.new()}"
    await service.client.ask("run.start.v1", {"model": "rain"}, subject=run)
    (started,) = await items(service.http, entity=run)
    assert (started["type"], started["changes"]) == ("run.started.v1", {})


WRONG = [
    {"size": "0"},
    {"size": "101"},
    {"before": "x"},
    {"since": "soon"},
    {"actor": ""},
    {"actor": "\0"},
    {"actor": "x" * 301},
    {"who": "me"},
]


@pytest.mark.parametrize("asked", WRONG, ids=str)
async def test_what_does_not_fit_is_named(http: httpx2.AsyncClient, asked: dict[str, str]) -> None:
    refused = await http.get(AUDIT, params=asked)
    assert (refused.status_code, word(refused)) == (422, "validation-failed")
    assert problem(refused)["errors"][0]["loc"] == ["query", *asked]


async def test_what_can_be_no_entity_is_not_found(http: httpx2.AsyncClient) -> None:
    for path in ("dataset/%00", "dataset/a,b", "%00/x"):
        assert (await http.get(f"{AUDIT}/{path}")).status_code == 404
    assert await items(http, f"{AUDIT}/dataset/nobody") == []
