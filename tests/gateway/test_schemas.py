"""The shapes of messages, as a client in any language reads them."""

import httpx2
import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_all_shapes_are_listed_with_their_revisions(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/api/v1/schemas")).json() == [
        {
            "name": "dataset.create.v1",
            "deprecated": True,
            "revisions": ["/api/v1/schemas/dataset.create.v1"],
        },
        {
            "name": "dataset.create.v2",
            "deprecated": False,
            "revisions": [
                "/api/v1/schemas/dataset.create.v2",
                "/api/v1/schemas/dataset.create.v2.2",
            ],
        },
        {
            "name": "datasets.v1",
            "deprecated": False,
            "revisions": ["/api/v1/schemas/datasets.v1"],
        },
    ]


async def test_a_name_answers_with_its_newest_revision(http: httpx2.AsyncClient) -> None:
    response = await http.get("/api/v1/schemas/dataset.create.v2")
    assert response.headers["content-type"] == "application/schema+json"
    newest = response.json()
    assert newest == {"$id": "dataset.create.v2.2", "properties": {"title": {}, "rows": {}}}
    assert (await http.get("/api/v1/schemas/dataset.create.v2.2")).json() == newest


async def test_an_old_shape_says_that_it_is(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/api/v1/schemas/dataset.create.v1")).json()["deprecated"] is True


@pytest.mark.parametrize("id", ["dataset.create.v3", "dataset.create.v2.3", "dataset"])
async def test_what_is_no_shape_is_not_found(http: httpx2.AsyncClient, id: str) -> None:
    response = await http.get(f"/api/v1/schemas/{id}")
    assert response.status_code == 404
    assert "/api/v1/schemas lists all" in response.json()["detail"]
