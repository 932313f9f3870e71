"""What answers say of the collection they are from."""

from datetime import date

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import Response

from tests.gateway.running import served
from treering import Deprecated, Entity
from treering.errors import DeclarationError
from treering.gateway.app import Gateway
from treering.gateway.collection import Collection
from treering.gateway.http.caching import tagged
from treering.gateway.http.policies import policed
from treering.gateway.http.routes import Routes

OLD = Deprecated(since=date(2026, 1, 31), until=date(2026, 7, 31), link="/moved")
FORMER = Deprecated(since=date(2025, 1, 1))


class Gauge(Entity, deprecated=OLD, formerly={"meters": FORMER}, cache_control="max-age=60"):
    name: str


async def _get(request: Request) -> Response:
    return tagged(request, "{}", '"1-00000000"')


async def _post(_request: Request) -> Response:
    return Response("{}", media_type="application/json")


async def asked(method: str, collection: Collection, **headers: str) -> httpx2.Response:
    """Return the answer of a gateway with *collection*, and with an address that has moved."""
    routes = Routes()
    declaration = collection.entity.declaration
    to = routes.leading_to(collection.path, "/api/v1/gauges")
    to = policed(to, collection.deprecated, declaration.cache_control)
    to.add("GET", collection.path, _get)
    to.add("POST", collection.path, _post)
    async with served(Gateway(routes)) as http:
        return await http.request(method, collection.path, headers=headers)


async def test_a_deprecated_collection_says_so() -> None:
    for method in ("GET", "POST"):
        response = await asked(method, Collection(entity=Gauge))
        assert response.headers["deprecation"] == "@1769817600"
        assert response.headers["sunset"] == "Fri, 31 Jul 2026 00:00:00 GMT"
        links = response.headers.get_list("link")
        assert '</moved>; rel="deprecation"' in links
        assert '</api/v1/gauges>; rel="successor-version"' in links


async def test_an_address_of_before_says_since_when() -> None:
    [former] = Collection(entity=Gauge).before
    response = await asked("GET", former)
    assert response.headers["deprecation"] == "@1735689600"
    assert "sunset" not in response.headers


async def test_answers_say_how_long_they_keep() -> None:
    response = await asked("GET", Collection(entity=Gauge))
    assert response.headers["cache-control"] == "max-age=60"
    assert "X-API-Key" in response.headers["vary"]
    tag = response.headers["etag"]
    again = await asked("GET", Collection(entity=Gauge), **{"If-None-Match": tag})
    assert (again.status_code, again.headers["cache-control"]) == (304, "max-age=60")
    assert "cache-control" not in (await asked("POST", Collection(entity=Gauge))).headers


def test_what_cannot_be_said_is_refused_where_it_is_declared() -> None:
    with pytest.raises(DeclarationError, match="is no Cache-Control"):
        type("A", (Entity,), {"__annotations__": {}}, cache_control="max-age=60\r\nX: y")
    with pytest.raises(DeclarationError, match="does not say since when"):
        type("B", (Entity,), {"__annotations__": {}}, deprecated="2026")
    with pytest.raises(DeclarationError, match="is before since"):
        Deprecated(since=date(2026, 2, 1), until=date(2026, 1, 1))
    with pytest.raises(DeclarationError, match="no address of a page"):
        Deprecated(since=date(2026, 2, 1), link="a\r\nb")
