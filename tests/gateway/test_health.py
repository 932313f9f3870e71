"""Health says what is wrong; figures and words say what runs."""

import json

import httpx2
import pytest

from tests.gateway.running import word
from treering import metrics

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_all_is_healthy_when_it_is(http: httpx2.AsyncClient) -> None:
    response = await http.get("/health")
    assert response.status_code == 200
    assert response.json() == {
        "status": "healthy",
        "checks": {
            "database": {"state": "healthy"},
            "kafka": {"state": "healthy"},
            "rules": {"state": "healthy"},
            "read_models": {"state": "healthy"},
            "invariant": {"state": "healthy"},
        },
    }
    assert response.headers["cache-control"] == "no-store"


async def test_it_is_live_and_ready(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/health/live")).json() == {"status": "live"}
    assert (await http.get("/health/ready")).json() == {"status": "ready"}
    assert (await http.get("/health/ready")).status_code == 200


async def test_the_front_page_says_what_runs_and_where(http: httpx2.AsyncClient) -> None:
    found = (await http.get("/")).json()
    assert found["service"] == "Tests"
    assert found["collections"]["datasets"] == "/api/v1/datasets"
    for address in (found["info"], found["health"], found["metrics"]):
        assert (await http.get(address)).status_code == 200


async def test_info_is_what_the_service_says_of_itself(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/api/v1/info")).json() == {
        "id": "tests",
        "display_name": "Tests",
        "version": "1.2.3",
        "description": "Under test.",
    }


async def test_details_are_what_it_serves_and_how_that_is_asked(http: httpx2.AsyncClient) -> None:
    found = (await http.get("/api/v1/info/$details")).json()
    assert (found["id"], found["version"]) == ("tests", "1.2.3")
    (datasets,) = [each for each in found["collections"] if each["kind"] == "dataset"]
    assert {"id", "name", "rows"} <= {*datasets["fields"]}
    for address in (datasets["path"], datasets["schema"], found["links"]["health"]):
        assert (await http.get(address)).status_code == 200


async def test_health_is_told_again_and_again(http: httpx2.AsyncClient) -> None:
    path = "/health/$stream?poll_interval=0.01"
    beats: list[str] = []
    async with http.stream("GET", path) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        async for line in response.aiter_lines():
            beats += [line] if line else []
            if len(beats) == 3:
                break
    assert [json.loads(beat.removeprefix("data: "))["status"] for beat in beats] == ["healthy"] * 3
    for wrong in ("0", "-1", "61", "nan", "often"):
        refused = await http.get("/health/$stream", params={"poll_interval": wrong})
        assert (refused.status_code, word(refused)) == (422, "validation-failed")


async def test_figures_follow_what_happens(http: httpx2.AsyncClient) -> None:
    def counted(text: str) -> float:
        start = 'http_server_request_duration_seconds_count{http_request_method="POST"'
        lines = [line for line in text.splitlines() if line.startswith(start)]
        return sum(float(line.rpartition(" ")[2]) for line in lines if '"201"' in line)

    before = (await http.get("/metrics")).text
    position = (await http.post("/api/v1/configs", json={"name": "a"})).headers
    response = await http.get("/metrics")
    assert response.headers["content-type"] == metrics.CONTENT_TYPE
    assert counted(response.text) == counted(before) + 1
    newest = float(position["treering-position"].rpartition(":")[2])
    assert f"treering_store_position {newest}" in response.text
    assert f'treering_projection_position{{projection="configs"}} {newest}' in response.text
    assert 'treering_projection_lag_events{projection="configs"} 0.0' in response.text
    assert 'treering_pool_connections{role="gateway",state="idle"}' in response.text
    assert "process_resident_memory_bytes" in response.text
