"""Several requests in one: each is answered as if it had come alone, in order."""

from base64 import b64decode
from typing import Any

import httpx2
import pytest

from tests.gateway.running import problem, word
from treering import ulid

pytestmark = pytest.mark.asyncio(loop_scope="module")
BATCH, DATASETS, CONFIGS = "/api/v1/$batch", "/api/v1/datasets", "/api/v1/configs"


async def test_requests_of_several_collections_are_answered_in_order(
    http: httpx2.AsyncClient,
) -> None:
    named = ulid.new()
    response = await http.post(
        BATCH,
        json=[
            {"method": "POST", "path": DATASETS, "body": {"id": named, "name": named}},
            {"method": "GET", "path": f"{DATASETS}/{named}?fields=name"},
            {"method": "PUT", "path": f"{DATASETS}/{named}", "body": {"rows": "many"}},
            {"method": "POST", "path": CONFIGS, "body": {"name": "in a batch"}},
            {"method": "DELETE", "path": f"{DATASETS}/{named}", "headers": {"If-Match": '"1"'}},
            {"method": "GET", "path": f"{DATASETS}/{named}"},
        ],
    )
    assert response.status_code == 200
    found = response.json()
    assert [each["status"] for each in found] == [201, 200, 422, 201, 204, 404]
    assert found[0]["headers"]["location"] == f"{http.base_url}{DATASETS}/{named}"
    assert found[0]["headers"]["etag"].startswith('"1-')
    assert found[1]["body"] == {"name": named}
    assert found[2]["body"]["type"] == "urn:treering:error:validation-failed"
    assert found[4]["body"] is None
    assert (await http.get(found[3]["headers"]["location"])).json() == found[3]["body"]


async def test_an_answer_that_is_no_text_is_told_too(http: httpx2.AsyncClient) -> None:
    packed = {"Accept": "application/msgpack"}
    wanted = await http.get(CONFIGS, headers=packed)
    said = [{"method": "GET", "path": CONFIGS, "headers": packed}]
    (found,) = (await http.post(BATCH, json=said)).json()
    if wanted.content.isascii():
        assert found["body"] == wanted.text
    else:
        assert b64decode(found["base64"]) == wanted.content
    said[0]["headers"] = {"Accept-Encoding": "gzip"}
    refused = await http.post(BATCH, json=said)
    assert (refused.status_code, word(refused)) == (422, "validation-failed")


async def test_a_batch_that_is_sent_again_happens_once(http: httpx2.AsyncClient) -> None:
    said = [{"method": "POST", "path": DATASETS, "body": {"name": ulid.new()}} for _ in range(3)]
    headers = {"Idempotency-Key": ulid.new()}
    first, again = [await http.post(BATCH, json=said, headers=headers) for _ in range(2)]
    assert {each["status"] for each in first.json()} == {201}
    assert [each["body"] for each in again.json()] == [each["body"] for each in first.json()]


async def test_it_is_one_page_that_asks(http: httpx2.AsyncClient) -> None:
    said = [{"method": "POST", "path": DATASETS, "body": {"name": ulid.new()}}]
    response = await http.post(BATCH, json=said, headers={"Origin": "https://evil.example"})
    assert (response.status_code, word(response)) == (403, "cross-site")


WRONG: list[tuple[Any, str]] = [
    ({"method": "GET", "path": DATASETS}, ""),
    ([{"method": "GET", "path": DATASETS}] * 1001, ""),
    ([{"method": "BREW", "path": DATASETS}], "0"),
    ([{"method": "GET", "path": DATASETS}, {"path": DATASETS}], "1"),
    ([{"method": "GET", "path": "/metrics"}], "0.path"),
    ([{"method": "GET", "path": "https://evil.example/api/v1/"}], "0.path"),
    ([{"method": "POST", "path": BATCH, "body": []}], "0.path"),
    ([{"method": "POST", "path": "/api/v1/%24batch", "body": []}], "0.path"),
    ([{"method": "GET", "path": "/api/v1/events?kind=dataset"}], "0.path"),
    ([{"method": "GET", "path": DATASETS, "headers": {"A": "b\r\nC: d"}}], "0.headers.A"),
    ([{"method": "GET", "path": DATASETS, "headers": {"Host": "evil"}}], "0.headers.Host"),
]


@pytest.mark.parametrize(("said", "path"), WRONG)
async def test_what_is_no_batch_is_refused_before_anything_is_done(
    http: httpx2.AsyncClient, said: Any, path: str
) -> None:
    response = await http.post(BATCH, json=said)
    assert (response.status_code, word(response)) == (422, "validation-failed")
    assert [each["path"] for each in problem(response)["errors"]] == [path]


async def test_nothing_asked_is_nothing_told(http: httpx2.AsyncClient) -> None:
    response = await http.post(BATCH, json=[])
    assert (response.status_code, response.json()) == (200, [])
