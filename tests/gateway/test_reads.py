"""Reads are what PostgreSQL tells, whole or by pages, and never older than was asked for."""

import httpx2
import pytest

from tests.gateway.running import Running, problem, word
from treering import ulid

pytestmark = pytest.mark.asyncio(loop_scope="module")
CONFIGS = "/api/v1/configs"
DATASETS = "/api/v1/datasets"


async def created(http: httpx2.AsyncClient) -> httpx2.Response:
    response = await http.post(CONFIGS, json={"name": "a", "data": {"n": 1}})
    assert response.status_code == 201
    return response


async def test_a_list_is_complete_and_ordered_by_id(http: httpx2.AsyncClient) -> None:
    made = [(await created(http)).json() for _ in range(3)]
    found = (await http.get(CONFIGS)).json()
    assert [each for each in found if each in made] == sorted(made, key=lambda each: each["id"])
    assert [each["id"] for each in found] == sorted(each["id"] for each in found)


async def test_a_page_says_how_many_there_are(http: httpx2.AsyncClient) -> None:
    for _ in range(3):
        await created(http)
    every = (await http.get(CONFIGS)).json()
    page = (await http.get(CONFIGS, params={"page": 2, "size": 2})).json()
    assert page == {
        "items": every[2:4],
        "total": len(every),
        "page": 2,
        "size": 2,
        "pages": (len(every) + 1) // 2,
    }
    beyond = (await http.get(CONFIGS, params={"page": 900, "size": 2})).json()
    assert (beyond["items"], beyond["total"]) == ([], len(every))


@pytest.mark.parametrize("alone", [{"page": 1}, {"size": 1}])
async def test_half_a_page_is_the_whole_list(
    http: httpx2.AsyncClient, alone: dict[str, int]
) -> None:
    await created(http)
    response = await http.get(CONFIGS, params=alone)
    assert response.json() == (await http.get(CONFIGS)).json()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("page=0&size=1", ["query.page"]),
        ("page=1&size=0", ["query.size"]),
        ("page=1&size=101", ["query.size"]),
        ("page=x&size=-1", ["query.page", "query.size"]),
        ("page=%D9%A3&size=1", ["query.page"]),
        ("page=1&page=2&size=1", ["query.page"]),
        ("include_deleted=maybe", ["query.include_deleted"]),
        ("min_position=soon", ["min_position"]),
        ("min_position=99999999999999999999", ["min_position"]),
    ],
)
async def test_a_wrong_parameter_is_named(
    http: httpx2.AsyncClient, query: str, names: list[str]
) -> None:
    response = await http.get(f"{CONFIGS}?{query}")
    assert (response.status_code, word(response)) == (422, "validation-failed")
    assert [each["path"] for each in problem(response)["errors"]] == names


async def test_an_unknown_parameter_gets_a_suggestion(http: httpx2.AsyncClient) -> None:
    response = await http.get(CONFIGS, params={"pge": 1})
    assert response.status_code == 422
    assert problem(response)["errors"][0]["suggestion"] == "page"
    made = (await created(http)).json()
    response = await http.get(f"{CONFIGS}/{made['id']}", params={"zzz": 1})
    assert response.status_code == 422
    assert "suggestion" not in problem(response)["errors"][0]


async def test_deleted_ones_are_listed_if_asked_for(http: httpx2.AsyncClient) -> None:
    made = (await created(http)).json()
    await http.delete(f"{CONFIGS}/{made['id']}")
    shown = {each["id"] for each in (await http.get(CONFIGS)).json()}
    all_of_them = (await http.get(CONFIGS, params={"include_deleted": "1"})).json()
    assert made["id"] not in shown
    assert len((await http.get(CONFIGS, params={"include_deleted": "false"})).json()) == len(shown)
    assert made["id"] in {each["id"] for each in all_of_them}


@pytest.mark.parametrize("wrong", ["rain", "8" + "0" * 25, "I" * 26, "%00", "0" * 25])
async def test_what_is_no_ulid_is_said_to_be_none(http: httpx2.AsyncClient, wrong: str) -> None:
    for response in (
        await http.get(f"{CONFIGS}/{wrong}"),
        await http.put(f"{CONFIGS}/{wrong}", json={}),
    ):
        assert (response.status_code, word(response)) == (400, "invalid-ulid")


@pytest.mark.parametrize("missing", ["rain", "%00", "%C3%BC", "x" * 129, "%FF", "$nope"])
async def test_what_is_not_there_is_not_found(http: httpx2.AsyncClient, missing: str) -> None:
    response = await http.get(f"{DATASETS}/{missing}")
    assert (response.status_code, word(response)) == (404, "not-found")


async def test_a_ulid_that_is_not_there_is_not_found(http: httpx2.AsyncClient) -> None:
    response = await http.get(f"{CONFIGS}/{ulid.new()}")
    assert (response.status_code, word(response)) == (404, "not-found")


async def test_the_schema_is_that_of_the_entity(http: httpx2.AsyncClient) -> None:
    schema = (await http.get(f"{DATASETS}/%24schema")).json()
    assert schema["properties"]["rows"]["type"] == "integer"
    assert schema["required"] == ["name"]


async def test_head_is_get_without_its_body(http: httpx2.AsyncClient) -> None:
    address = f"{CONFIGS}/{(await created(http)).json()['id']}"
    head, get = await http.head(address), await http.get(address)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


async def test_a_position_can_be_sent_back(service: Running) -> None:
    response = await created(service.http)
    token = response.headers["treering-position"]
    epoch, _, number = token.partition(":")
    assert epoch == (await service.reader.head()).epoch
    for said in (token, number):
        found = await service.http.get(response.headers["location"], params={"min_position": said})
        assert found.json() == response.json()
    found = await service.http.get(CONFIGS, headers={"Treering-Position": token})
    assert response.json() in found.json()


@pytest.mark.parametrize("wrong", ["0" * 5_000, "0" * 20, str(2**63), "1:" + "9" * 5_000, "-1"])
async def test_what_can_be_no_position_is_refused(http: httpx2.AsyncClient, wrong: str) -> None:
    for response in (
        await http.get(CONFIGS, params={"min_position": wrong}),
        await http.get(CONFIGS, headers={"Treering-Position": wrong}),
    ):
        assert (response.status_code, word(response)) == (422, "validation-failed")


async def test_a_position_of_before_a_restore_is_refused(http: httpx2.AsyncClient) -> None:
    response = await http.get(CONFIGS, headers={"Treering-Position": "another:1"})
    assert (response.status_code, word(response)) == (412, "other-epoch")
