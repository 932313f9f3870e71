"""The document says what is served, no more and no less, with an example that works."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import httpx2
import pytest
import pytest_asyncio

from tests.gateway.running import Running

pytestmark = pytest.mark.asyncio(loop_scope="module")
METHODS = {"get", "post", "put", "patch", "delete"}
UNSAID = {"/api/v1/tables", "/docs"}
"""Addresses that lead to newer ones, and a page."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def document(http: httpx2.AsyncClient) -> dict[str, Any]:
    response = await http.get("/openapi.json")
    assert response.headers["content-type"] == "application/json"
    return response.json()


async def test_every_address_is_described_and_no_other(
    service: Running, document: dict[str, Any]
) -> None:
    served = {
        (method.lower(), path)
        for method, path in service.served()
        if method != "HEAD" and not any(path.startswith(each) for each in UNSAID)
    }
    described = {
        (method, path) for path, said in document["paths"].items() for method in METHODS & {*said}
    }
    assert described == served


async def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    components = document["components"]["schemas"]
    for found in _all(document, "$ref"):
        assert found.removeprefix("#/components/schemas/") in components


async def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [*_all(document["paths"], "operationId")]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[A-Za-z]+", name) for name in names)


async def test_the_example_of_a_body_is_taken(
    http: httpx2.AsyncClient, document: dict[str, Any]
) -> None:
    for path in ("/api/v1/datasets", "/api/v1/configs"):
        body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        response = await http.post(path, json={**body["example"], "id": None})
        assert response.status_code == 201, response.text


async def test_what_is_shown_has_the_shape_that_is_described(
    http: httpx2.AsyncClient, document: dict[str, Any]
) -> None:
    shown = (await http.post("/api/v1/datasets", json={"name": "described"})).json()
    described = document["components"]["schemas"]["Dataset"]["properties"]
    assert {*shown} <= {*described}
    assert document["components"]["schemas"]["Dataset"]["required"][0] in shown


async def test_every_form_is_described(document: dict[str, Any]) -> None:
    def forms(path: str, method: str, status: str) -> set[str]:
        return {*document["paths"][path][method]["responses"][status]["content"]}

    nested = {"application/json", "application/msgpack"}
    assert forms("/api/v1/datasets", "get", "200") == {*nested, "text/csv"}
    assert forms("/api/v1/datasets", "post", "201") == nested
    assert {*document["paths"]["/api/v1/datasets"]["post"]["requestBody"]["content"]} == nested


def _all(said: object, key: str) -> Iterator[str]:
    """Yield what stands at *key*, wherever that is."""
    if isinstance(said, dict):
        for name, value in cast("Mapping[str, object]", said).items():
            if name == key and isinstance(value, str):
                yield value
            else:
                yield from _all(value, key)
    elif isinstance(said, list):
        for each in cast("list[object]", said):
            yield from _all(each, key)


async def test_schemas_are_listed_and_looked_for_as_described(
    document: dict[str, Any], http: httpx2.AsyncClient
) -> None:
    listing = document["paths"]["/api/v1/schemas"]["get"]["responses"]["200"]["content"]
    assert listing["application/json"]["schema"]["type"] == "array"
    assert isinstance((await http.get("/api/v1/schemas")).json(), list)
    for path in ("/api/v1/schemas/{id}", "/api/v1/commands/{id}"):
        missing = await http.get(path.replace("{id}", "a%00b"))
        assert str(missing.status_code) in document["paths"][path]["get"]["responses"]
