"""What a client has already is not sent again."""

import httpx2
import pytest

from treering.gateway.http.caching import tag_of, version_in

pytestmark = pytest.mark.asyncio(loop_scope="module")
DATASETS = "/api/v1/datasets"


async def created(http: httpx2.AsyncClient, name: str) -> httpx2.Response:
    response = await http.post(DATASETS, json={"name": name, "rows": 1})
    assert response.status_code == 201
    return response


async def test_an_entity_is_not_sent_again_until_it_changes(http: httpx2.AsyncClient) -> None:
    made = await created(http, "kept")
    address, tag = made.headers["location"], made.headers["etag"]
    again = await http.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    weak = await http.get(address, headers={"If-None-Match": f'"9", W/{tag}'})
    assert weak.status_code == 304
    changed = await http.put(address, json={"rows": 2}, headers={"If-Match": tag})
    found = await http.get(address, headers={"If-None-Match": tag})
    assert (found.status_code, found.json()["rows"]) == (200, 2)
    assert found.headers["etag"] == changed.headers["etag"]


async def test_a_list_is_not_sent_again_until_something_happens(http: httpx2.AsyncClient) -> None:
    await created(http, "listed")
    for query in ("", "?page=1&size=2", "?cursor="):
        first = await http.get(DATASETS + query)
        tag = first.headers["etag"]
        again = await http.get(DATASETS + query, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        await created(http, f"more{query}")
        assert (await http.get(DATASETS + query, headers={"If-None-Match": tag})).is_success


async def test_an_entity_shows_the_fields_asked_for(http: httpx2.AsyncClient) -> None:
    address = (await created(http, "sparse")).headers["location"]
    assert (await http.get(address, params={"fields": "rows,name"})).json() == {
        "rows": 1,
        "name": "sparse",
    }
    response = await http.get(address, params={"fields": "nam"})
    assert response.json()["errors"][0]["suggestion"] == "name"


async def test_a_tag_tells_apart_what_shows_the_same_version_otherwise() -> None:
    tags = {tag_of(4, epoch, build) for epoch in ("a", "b") for build in ("1", "2")}
    assert len(tags) == 4
    assert {version_in(each) for each in tags} == {4}


@pytest.mark.parametrize(
    ("tag", "version"), [('"4"', 4), (' "4" ', 4), ("4", None), ('W/"4"', None), ('"4-x"', None)]
)
async def test_a_version_alone_is_a_tag_too(tag: str, version: int | None) -> None:
    assert version_in(tag) == version
