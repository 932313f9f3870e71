"""What an entity can do besides stands under a word of its own."""

from typing import Any

import httpx2
import pytest

from tests.gateway.running import problem, word
from treering import ulid

pytestmark = pytest.mark.asyncio(loop_scope="module")
DATASETS = "/api/v1/datasets"


async def made(http: httpx2.AsyncClient, **fields: Any) -> str:
    response = await http.post(DATASETS, json={"name": ulid.new(), **fields})
    assert response.status_code == 201
    return f"{DATASETS}/{response.json()['id']}"


async def test_a_command_of_the_entity_is_asked_for_under_its_word(
    http: httpx2.AsyncClient,
) -> None:
    place = await made(http, rows=3)
    response = await http.post(f"{place}/$fill", json={"rows": 4})
    assert (response.status_code, response.json()["rows"]) == (200, 7)
    assert response.headers["etag"].startswith('"2-')
    assert (await http.get(place)).json() == response.json()


async def test_a_command_that_says_nothing_needs_no_body(http: httpx2.AsyncClient) -> None:
    place = await made(http, rows=3)
    assert (await http.post(f"{place}/$reset")).json()["rows"] == 0
    refused = await http.post(f"{place}/$reset", json={})
    assert (refused.status_code, word(refused)) == (409, "is-empty")


async def test_one_that_makes_an_entity_is_the_collections(http: httpx2.AsyncClient) -> None:
    name = ulid.new()
    response = await http.post(f"{DATASETS}/$draw", json={"name": name})
    assert (response.status_code, response.json()["rows"]) == (201, 10)
    assert response.headers["location"].endswith(response.json()["id"])
    shown = (await http.get(response.headers["location"])).json()
    assert shown == response.json()
    assert shown["tags"] == []
    taken = await http.post(f"{DATASETS}/$draw", json={"name": name})
    assert (taken.status_code, word(taken)) == (409, "key-taken")


async def test_what_it_makes_fits_the_entity(http: httpx2.AsyncClient) -> None:
    said = {"type": "dataset.draw.v1", "subject": "dataset/drawn", "data": {"name": "drawn"}}
    first, again = [await http.post("/api/v1/commands", json=said) for _ in range(2)]
    assert first.json()["outcome"] == "accepted"
    assert (again.status_code, word(again)) == (409, "already-exists")


async def test_every_entity_is_tagged(http: httpx2.AsyncClient) -> None:
    place = await made(http, tags=["old"])
    both = await http.post(f"{place}/$tag", json={"tags": ["new", "old"]})
    assert both.json()["tags"] == ["old", "new"]
    one = await http.post(f"{place}/$untag", json={"tags": ["old"]})
    assert one.json()["tags"] == ["new"]


@pytest.mark.parametrize(
    ("said", "path"),
    [({"rows": 0}, "rows"), ({}, "rows"), ({"rows": "many"}, "rows"), ({"rows": 1, "row": 1}, "")],
)
async def test_a_body_that_does_not_fit_is_refused(
    http: httpx2.AsyncClient, said: Any, path: str
) -> None:
    response = await http.post(f"{await made(http)}/$fill", json=said)
    assert (response.status_code, word(response)) == (422, "validation-failed")
    assert path in problem(response)["errors"][0]["path"]


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        (f"{DATASETS}/rain/$fil", f"{DATASETS}/rain/$fill"),
        (f"{DATASETS}/$stat", f"{DATASETS}/$stats"),
        (f"{DATASETS}/$drawing", f"{DATASETS}/$draw"),
        ("/api/v1/dataset", DATASETS),
        ("/api/v1/comands", "/api/v1/commands"),
    ],
)
async def test_a_slip_is_answered_with_what_was_meant(
    http: httpx2.AsyncClient, wrong: str, meant: str
) -> None:
    response = await http.post(wrong, json={})
    assert (response.status_code, word(response)) == (404, "not-found")
    assert problem(response)["suggestion"] == meant
    assert meant in problem(response)["detail"]


async def test_what_is_far_from_everything_is_only_missing(http: httpx2.AsyncClient) -> None:
    response = await http.get(f"{DATASETS}/rain/$abracadabra")
    assert "suggestion" not in problem(response)


async def test_operations_are_described_with_examples_that_are_taken(
    http: httpx2.AsyncClient,
) -> None:
    paths = (await http.get("/openapi.json")).json()["paths"]
    place = await made(http)
    for op in ("$fill", "$tag", "$untag"):
        said = paths[f"{DATASETS}/{{id}}/{op}"]["post"]
        sample = said["requestBody"]["content"]["application/json"]["example"]
        response = await http.post(f"{place}/{op}", json=sample)
        assert response.status_code == 200, response.text
    assert paths[f"{DATASETS}/{{id}}/$fill"]["post"]["summary"] == "Add rows"
    assert "201" in paths[f"{DATASETS}/$draw"]["post"]["responses"]
