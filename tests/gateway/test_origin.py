"""A page of another site can neither write here nor reach us under a name of its own."""

from collections.abc import Mapping

import httpx2
import pytest

from tests.gateway.running import problem, served, word
from treering import ulid
from treering.gateway import Gateway
from treering.gateway.http.origin import names_of
from treering.gateway.http.routes import Routes
from treering.gateway.service.health import live

pytestmark = pytest.mark.asyncio(loop_scope="module")
EVERYWHERE = "0.0.0.0"  # noqa: S104 - a name in a table, nobody binds it
DATASETS = "/api/v1/datasets"
LIVE = "/health/live"
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "chrome-extension://abc"},
    {"Origin": "http://["},
    {"Origin": "null"},
    {"Origin": ""},
]


async def created(http: httpx2.AsyncClient) -> str:
    """Create a dataset and return its address."""
    made = await http.post(DATASETS, json={"name": ulid.new()})
    return f"{DATASETS}/{made.json()['id']}"


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_a_page_of_another_site_changes_nothing(
    http: httpx2.AsyncClient, headers: Mapping[str, str]
) -> None:
    address = await created(http)
    before = await http.get(address)
    for response in (
        await http.delete(address, headers=headers),
        await http.post(f"{address}/$purge", headers=headers),
        await http.put(address, json={"rows": 1}, headers=headers),
        await http.patch(address, json={"rows": 1}, headers=headers),
        await http.post(DATASETS, json={"name": ulid.new()}, headers=headers),
    ):
        assert (response.status_code, word(response)) == (403, "cross-site")
        assert "write from a program" in problem(response)["detail"]
        assert response.headers["x-request-id"]
    assert (await http.get(address, headers=headers)).json() == before.json()


async def test_a_page_of_this_address_may_write(http: httpx2.AsyncClient) -> None:
    here = str(http.base_url).rstrip("/")
    headers = {"Origin": here, "Sec-Fetch-Site": "same-origin"}
    assert (await http.delete(await created(http), headers=headers)).status_code == 204


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost", "localhost:80"),
        ("https://localhost", "localhost"),
        ("https://localhost", "localhost:443"),
        ("https://[::1]:9000", "[::1]:9000"),
        ("http://LocalHost:80", "localhost"),
    ],
)
async def test_an_address_is_the_same_however_it_is_written(
    http: httpx2.AsyncClient, origin: str, host: str
) -> None:
    headers = {"Origin": origin, "Host": host}
    assert (await http.delete(await created(http), headers=headers)).status_code == 204


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil", "[", ":"],
)
async def test_on_loopback_another_name_is_refused(http: httpx2.AsyncClient, host: str) -> None:
    response = await http.get(DATASETS, headers={"Host": host})
    assert (response.status_code, word(response)) == (421, "unknown-host")
    assert "TREERING_ALLOWED_HOSTS" in problem(response)["detail"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8000"])
async def test_the_names_of_loopback_are_answered_to(http: httpx2.AsyncClient, host: str) -> None:
    assert (await http.get(DATASETS, headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    ("listening", "allowed", "host", "status"),
    [
        ("127.0.0.1", "data.example,b", "Data.example:443", 200),
        ("127.0.0.1", "data.example", "localhost", 200),
        ("127.0.0.1", "data.example", "evil.example", 421),
        ("127.0.0.7", None, "127.0.0.7:80", 200),
        ("127.0.0.7", None, "evil.example", 421),
        ("::1", None, "evil.example", 421),
        ("localhost", None, "evil.example", 421),
        (EVERYWHERE, None, "any.example", 200),
        ("::", None, "any.example", 200),
        ("gateway.example", None, "any.example", 200),
        (EVERYWHERE, "data.example", "data.example", 200),
        (EVERYWHERE, "data.example", "evil.example", 421),
    ],
)
async def test_names_depend_on_where_it_listens_and_on_what_is_allowed(
    listening: str, allowed: str | None, host: str, status: int
) -> None:
    routes = Routes()
    routes.add("GET", LIVE, live)
    async with served(Gateway(routes, names_of(listening, allowed))) as http:
        assert (await http.get(LIVE, headers={"Host": host})).status_code == status
