"""The version stands in the address, or in a header."""

import httpx2
import pytest

from tests.gateway.running import word
from treering.gateway.forms.accepting import versioned

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("accept", ["vnd.treering.v1+json", "vnd.treering+json;version=1"])
async def test_a_header_may_say_the_version(http: httpx2.AsyncClient, accept: str) -> None:
    headers = {"Accept": f"application/{accept}"}
    made = await http.post("/api/datasets", json={"name": accept}, headers=headers)
    assert made.status_code == 201
    assert made.headers["content-type"].startswith("application/vnd.treering")
    found = await http.get(f"/api/datasets/{made.json()['id']}", headers=headers)
    assert found.json() == made.json()
    assert found.json() == (await http.get(made.headers["location"])).json()


async def test_a_version_that_there_is_not_is_refused(http: httpx2.AsyncClient) -> None:
    headers = {"Accept": "application/vnd.treering.v2+json"}
    for path in ("/api/datasets", "/api/v1/datasets"):
        refused = (await http.get(path, headers=headers)).json()
        assert refused["type"] == "urn:treering:error:not-acceptable"
        assert refused["instance"] == "/api/v1/datasets"
    assert word(await http.get("/api/v2/datasets")) == "not-found"


async def test_without_a_version_it_is_the_newest(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/api/info")).json() == (await http.get("/api/v1/info")).json()
    assert word(await http.get("/api/none")) == "not-found"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/api/datasets/a", "/api/v1/datasets/a"),
        ("/api/v1x", "/api/v1/v1x"),
        ("/api/v1", None),
        ("/api/v2/datasets", None),
        ("/api/", None),
        ("/health", None),
    ],
)
async def test_an_address_without_a_version_gets_one(path: str, found: str | None) -> None:
    assert versioned(path) == found
