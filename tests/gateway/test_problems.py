"""Every answer has a request's id; whatever goes wrong is a problem and tells nothing inner."""

import json

import httpx2
import pytest

from tests.gateway.running import Running, problem, word
from treering import ulid
from treering.gateway.http.problem import answer

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/v1", "/api/v1/dataset", "/api/v1/configs/", "//", "/api/v1/x/y/z"]
)
async def test_an_unknown_address_is_a_problem(http: httpx2.AsyncClient, path: str) -> None:
    response = await http.get(f"{str(http.base_url).rstrip('/')}{path}")
    assert (response.status_code, word(response)) == (404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/v1/configs", "GET, HEAD, POST"),
        ("POST", "/health", "GET, HEAD"),
        ("GET", "/api/v1/configs/x/$restore", "POST"),
        ("OPTIONS", "/api/v1/configs", "GET, HEAD, POST"),
    ],
)
async def test_a_method_that_is_not_taken_names_those_that_are(
    http: httpx2.AsyncClient, method: str, path: str, allowed: str
) -> None:
    response = await http.request(method, path)
    assert (response.status_code, word(response)) == (405, "method-not-allowed")
    assert response.headers["allow"] == allowed


async def test_every_answer_has_an_id_of_its_own(http: httpx2.AsyncClient) -> None:
    responses = [await http.get("/health/live"), await http.get("/nothing")]
    found = {response.headers["x-request-id"] for response in responses}
    assert len(found) == 2
    assert all(ulid.normal(each) == each for each in found)


async def test_an_id_that_was_given_is_kept_and_becomes_the_correlation(service: Running) -> None:
    headers = {"X-Request-ID": f"mine-{ulid.new()}", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    response = await service.http.post("/api/v1/configs", json={"name": "a"}, headers=headers)
    assert response.headers["x-request-id"] == headers["X-Request-ID"]
    (event,) = await service.reader.read_stream(f"config/{response.json()['id']}")
    assert event.correlation == headers["X-Request-ID"]
    assert event.traceparent == headers["traceparent"]
    assert event.actor == "http"


@pytest.mark.parametrize("given", ["", "x" * 129, "a\tb", "\xfc"])
async def test_an_id_that_cannot_travel_is_replaced(http: httpx2.AsyncClient, given: str) -> None:
    response = await http.get("/health/live", headers=[(b"X-Request-ID", given.encode("latin-1"))])
    assert ulid.normal(response.headers["x-request-id"])


async def test_a_wrong_traceparent_is_left_out(service: Running) -> None:
    headers = {"traceparent": "nonsense"}
    response = await service.http.post("/api/v1/configs", json={"name": "a"}, headers=headers)
    (event,) = await service.reader.read_stream(f"config/{response.json()['id']}")
    assert event.traceparent is None


async def test_what_json_has_no_word_for_is_told_as_text() -> None:
    told = answer({"type": "t", "status": 422, "a": "\ud800", "b": object(), "c": [1]}, "/\udcff")
    found = json.loads(bytes(told.body))
    assert (found["a"], found["c"], found["instance"], told.status_code) == ("?", [1], "/?", 422)


async def test_a_problem_lists_its_faults_where_it_happened(http: httpx2.AsyncClient) -> None:
    response = await http.post("/api/v1/configs", json={})
    assert problem(response)["instance"] == "/api/v1/configs"
    assert problem(response)["errors"]
