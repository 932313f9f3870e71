"""All or nothing: one command for many entities."""

import httpx2
import pytest

from tests.gateway.running import problem, word
from treering import ulid

pytestmark = pytest.mark.asyncio(loop_scope="module")
DATASETS = "/api/v1/datasets"
TOGETHER = f"{DATASETS}/$bulk?atomic=true"


async def test_all_of_it_is_done_and_can_be_read(http: httpx2.AsyncClient) -> None:
    one, two = ulid.new(), ulid.new()
    await http.post(f"{DATASETS}/$bulk", json=[{"id": each, "name": each} for each in (one, two)])
    names = [ulid.new() for _ in range(30)]
    said = {
        "create": [{"name": name} for name in names],
        "update": [{"id": one, "rows": 5}],
        "delete": [two],
    }
    response = await http.post(TOGETHER, json=said)
    found = response.json()
    assert response.status_code == 201
    assert found | {"ids": []} == {
        "success": True, "created": 30, "updated": 1, "deleted": 1, "ids": [], "errors": [],
    }  # fmt: skip
    shown = [(await http.get(f"{DATASETS}/{each}")).json()["name"] for each in found["ids"]]
    assert shown == names
    assert (await http.get(f"{DATASETS}/{one}")).json()["rows"] == 5
    assert (await http.get(f"{DATASETS}/{two}")).status_code == 404


async def test_one_new_entity_has_its_id_told(http: httpx2.AsyncClient) -> None:
    response = await http.post(TOGETHER, json=[{"name": ulid.new()}])
    (made,) = response.json()["ids"]
    assert (await http.get(f"{DATASETS}/{made}")).status_code == 200


async def test_of_what_may_not_all_be_nothing_is_done(http: httpx2.AsyncClient) -> None:
    name, taken = ulid.new(), ulid.new()
    await http.post(DATASETS, json={"name": taken})
    for wrong, why in (({"name": taken}, "key-taken"), ({"name": 3}, "bulk-refused")):
        response = await http.post(TOGETHER, json=[{"name": name}, wrong])
        assert word(response) == why
        total = await http.get(f"{DATASETS}/$stats", params={"name": name})
        assert total.json() == {"total": 0}
    (error,) = problem(response)["errors"]
    assert (error["in"], error["index"]) == ("create", 1)
    assert error["problem"]["errors"][0]["path"] == "name"


async def test_it_may_be_sent_again(http: httpx2.AsyncClient) -> None:
    headers, said = {"Idempotency-Key": ulid.new()}, [{"name": ulid.new()}, {"name": ulid.new()}]
    first, again = [await http.post(TOGETHER, json=said, headers=headers) for _ in range(2)]
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    other = await http.post(TOGETHER, json=said[:1], headers=headers)
    assert (other.status_code, word(other)) == (422, "id-reused")


async def test_it_is_as_large_as_a_command(http: httpx2.AsyncClient) -> None:
    said = [{"name": f"{number}{'x' * 100_000}"} for number in range(10)]
    response = await http.post(TOGETHER, json=said)
    assert (response.status_code, word(response)) == (413, "too-large")


async def test_a_word_that_is_not_known_is_refused(http: httpx2.AsyncClient) -> None:
    for query in ("atomic=yes", "atomc=true"):
        response = await http.post(f"{DATASETS}/$bulk?{query}", json=[])
        assert (response.status_code, word(response)) == (422, "validation-failed")
