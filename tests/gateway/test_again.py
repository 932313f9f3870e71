"""What is sent again under its `Idempotency-Key` happens once, and is answered as it was."""

import asyncio

import httpx2
import pytest

from tests.gateway.running import problem, word
from treering import ulid

pytestmark = pytest.mark.asyncio(loop_scope="module")
DATASETS = "/api/v1/datasets"
TOLD = ("etag", "location", "treering-position")


def key() -> dict[str, str]:
    return {"Idempotency-Key": ulid.new()}


def told(response: httpx2.Response) -> tuple[object, ...]:
    """Return what a client goes by."""
    headers = [response.headers.get(name) for name in TOLD]
    return response.status_code, response.content, *headers


async def test_a_create_that_is_sent_again_makes_one(http: httpx2.AsyncClient) -> None:
    said, headers = {"name": ulid.new()}, key()
    first = await http.post(DATASETS, json=said, headers=headers)
    assert first.status_code == 201
    changed = await http.put(first.headers["location"], json={"rows": 9})
    assert changed.status_code == 200
    assert told(await http.post(DATASETS, json=said, headers=headers)) == told(first)


async def test_a_create_that_is_sent_many_times_at_once_makes_one(
    http: httpx2.AsyncClient,
) -> None:
    said, headers = {"name": ulid.new()}, key()
    found = await asyncio.gather(
        *(http.post(DATASETS, json=said, headers=headers) for _ in range(16))
    )
    assert {each.status_code for each in found} == {201}
    assert len({told(each) for each in found}) == 1
    total = await http.get(f"{DATASETS}/$stats", params=said)
    assert total.json() == {"total": 1}


async def test_another_request_under_the_same_key_is_refused(http: httpx2.AsyncClient) -> None:
    headers = key()
    made = await http.post(DATASETS, json={"name": ulid.new()}, headers=headers)
    place = made.headers["location"]
    for other in (
        await http.post(DATASETS, json={"name": ulid.new()}, headers=headers),
        await http.put(place, json={"rows": 2}, headers=headers),
        await http.delete(place, headers=headers),
    ):
        assert (other.status_code, word(other)) == (422, "id-reused")
        assert headers["Idempotency-Key"] in problem(other)["detail"]
    assert (await http.get(place)).headers["etag"] == made.headers["etag"]


async def test_changes_that_are_sent_again_count_once(http: httpx2.AsyncClient) -> None:
    made = await http.post(DATASETS, json={"name": ulid.new()})
    place, change, deletion, back = made.headers["location"], key(), key(), key()
    first = await http.patch(place, json={"rows": 2}, headers=change)
    await http.patch(place, json={"rows": 3})
    assert told(await http.patch(place, json={"rows": 2}, headers=change)) == told(first)
    assert (await http.get(place)).json()["rows"] == 3
    assert (await http.delete(place, headers=deletion)).status_code == 204
    await http.post(f"{place}/$restore", headers=back)
    assert (await http.delete(place, headers=deletion)).status_code == 204
    assert (await http.get(place)).status_code == 200


async def test_a_refusal_stands_though_it_would_be_taken_now(http: httpx2.AsyncClient) -> None:
    name, headers = ulid.new(), key()
    holder = await http.post(DATASETS, json={"name": name})
    first = await http.post(DATASETS, json={"name": name}, headers=headers)
    assert (first.status_code, word(first)) == (409, "key-taken")
    await http.put(holder.headers["location"], json={"name": ulid.new()})
    again = await http.post(DATASETS, json={"name": name}, headers=headers)
    assert again.json() == first.json()


async def test_a_bulk_that_is_sent_again_makes_each_once(http: httpx2.AsyncClient) -> None:
    names, headers = [ulid.new() for _ in range(20)], key()
    said = [{"name": name} for name in names]
    first, again = [
        await http.post(f"{DATASETS}/$bulk", json=said, headers=headers) for _ in range(2)
    ]
    assert first.json()["created"] == 20
    assert told(again) == told(first)
    total = await http.get(f"{DATASETS}/$stats", params={"name[in]": ",".join(names)})
    assert total.json() == {"total": 20}


async def test_another_bulk_under_the_same_key_is_refused(http: httpx2.AsyncClient) -> None:
    headers = key()
    said = [{"name": ulid.new()}]
    await http.post(f"{DATASETS}/$bulk", json=said, headers=headers)
    other = await http.post(f"{DATASETS}/$bulk", json=[{"name": ulid.new()}], headers=headers)
    assert (other.status_code, word(other)) == (422, "id-reused")


async def test_keys_of_requests_are_of_no_use_elsewhere(http: httpx2.AsyncClient) -> None:
    quoted, bare = '"a key"', "a key"
    said = {"name": ulid.new()}
    first = await http.post(DATASETS, json=said, headers={"Idempotency-Key": quoted})
    again = await http.post(DATASETS, json=said, headers={"Idempotency-Key": bare})
    assert told(again) == told(first)


@pytest.mark.parametrize("wrong", ["", '""', "x" * 256, "a\tb"])
async def test_what_can_be_no_key_is_said(http: httpx2.AsyncClient, wrong: str) -> None:
    headers = {"Idempotency-Key": wrong}
    response = await http.post(DATASETS, json={"name": ulid.new()}, headers=headers)
    assert (response.status_code, word(response)) == (400, "bad-request")
