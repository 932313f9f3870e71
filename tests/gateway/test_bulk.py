"""Many entities in one request: what can be done is done, and what cannot is told."""

from typing import Any

import httpx2
import pytest

from tests.gateway.running import problem, word

pytestmark = pytest.mark.asyncio(loop_scope="module")
DATASETS = "/api/v1/datasets"
BULK = f"{DATASETS}/$bulk"


async def test_many_are_made_at_once_and_can_be_read(http: httpx2.AsyncClient) -> None:
    said = [{"name": f"bulk {number}", "rows": number} for number in range(1000)]
    response = await http.post(BULK, json=said)
    found = response.json()
    assert (response.status_code, found["success"], found["created"]) == (201, True, 1000)
    assert found["errors"] == []
    total = await http.get(f"{DATASETS}/$stats", params={"name[starts_with]": "bulk "})
    assert total.json() == {"total": 1000}
    assert len(set(found["ids"])) == 1000
    assert response.headers["treering-position"]
    last = await http.get(f"{DATASETS}/{found['ids'][-1]}")
    assert last.json()["name"] == "bulk 999"


async def test_what_can_all_be_done_is_one_command(http: httpx2.AsyncClient) -> None:
    said = {"create": [{"id": "left", "name": "left"}, {"id": "right", "name": "right"}]}
    assert (await http.post(BULK, json=said)).json()["ids"] == ["left", "right"]
    found = [await http.get(f"{DATASETS}/{each}/$history") for each in ("left", "right")]
    commands = {item["command"] for each in found for item in each.json()["items"]}
    assert len(commands) == 1


async def test_all_three_are_done_and_each_fault_is_told_with_its_place(
    http: httpx2.AsyncClient,
) -> None:
    for name in ("one", "two"):
        await http.post(DATASETS, json={"id": name, "name": name})
    response = await http.post(
        BULK,
        json={
            "create": [{"name": "three"}, {"name": "one"}, {"name": 3}, "four"],
            "update": [{"id": "one", "rows": 5}, {"rows": 6}, {"id": "none", "rows": 1}],
            "delete": ["two", "none"],
        },
    )
    found = response.json()
    assert response.status_code == 201
    assert (found["success"], found["created"], found["updated"], found["deleted"]) == (
        False,
        1,
        1,
        1,
    )
    told = [
        (each["in"], each["index"], each["problem"]["type"].rpartition(":")[2])
        for each in found["errors"]
    ]
    assert told == [
        ("create", 1, "key-taken"),
        ("create", 2, "validation-failed"),
        ("create", 3, "validation-failed"),
        ("update", 1, "validation-failed"),
        ("update", 2, "not-found"),
        ("delete", 1, "not-found"),
    ]
    assert (await http.get(f"{DATASETS}/one")).json()["rows"] == 5
    assert (await http.get(f"{DATASETS}/two")).status_code == 404


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("text", ""),
        ({"creat": []}, "creat"),
        ({"create": {}}, "create"),
        ([{"name": "x"}] * 1001, ""),
    ],
    ids=["text", "typo", "object", "too many"],
)
async def test_what_is_no_bulk_is_refused_whole(
    http: httpx2.AsyncClient, said: Any, path: str
) -> None:
    response = await http.post(BULK, json=said)
    assert (response.status_code, word(response)) == (422, "validation-failed")
    assert [each["path"] for each in problem(response)["errors"]] == [path]


async def test_nothing_at_all_is_done_well(http: httpx2.AsyncClient) -> None:
    response = await http.post(BULK, json=[])
    assert (response.status_code, response.json()["success"]) == (200, True)
