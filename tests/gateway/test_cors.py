"""Pages of other sites may ask if they are named, and browsers make no more of an answer."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import Response

from tests.gateway.running import served, word
from treering.errors import SettingsError
from treering.gateway import Gateway, Guard
from treering.gateway.http.routes import Routes
from treering.gateway.http.shielding import Shield
from treering.keys import Keyring

pytestmark = pytest.mark.asyncio(loop_scope="module")
PAGE, OTHER = "https://app.example", "https://evil.example"
KEY = "sk_tests_0123456789"
ASKS = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-api-key"}
ALLOWED = "access-control-allow-origin"


async def _data(_request: Request) -> Response:
    return Response("{}", media_type="application/json")


async def _page(_request: Request) -> Response:
    return Response("<p>", media_type="text/html")


async def _own(_request: Request) -> Response:
    headers = {"Content-Security-Policy": "default-src 'self'", "X-Frame-Options": "DENY"}
    return Response("<p>", headers=headers, media_type="text/html")


@asynccontextmanager
async def gateway(
    origins: str | None = None, keys: Sequence[str] = (), shield: Shield | None = None
) -> AsyncGenerator[httpx2.AsyncClient]:
    routes = Routes()
    for path, endpoint in (("/data", _data), ("/page", _page), ("/own", _own)):
        routes.add("GET", path, endpoint)
        routes.add("PUT", path, endpoint)
    guard = Guard(Keyring(None, keys))
    app = Gateway(routes, guard=guard, origins=origins, shield=shield or Shield())
    async with served(app) as http:
        yield http


async def asked(http: httpx2.AsyncClient, method: str, origin: str, **more: str) -> httpx2.Response:
    """Return the answer to a page of *origin*."""
    return await http.request(method, "/data", headers={"Origin": origin, **more})


async def test_unless_it_is_said_no_page_may_ask() -> None:
    async with gateway() as http:
        read = await asked(http, "GET", PAGE)
        assert ALLOWED not in read.headers
        assert (await asked(http, "OPTIONS", PAGE, **ASKS)).status_code == 405
        assert word(await asked(http, "PUT", PAGE)) == "cross-site"


async def test_a_page_that_is_named_reads_and_writes() -> None:
    async with gateway(f"{PAGE}/, https://two.example") as http:
        before = await asked(http, "OPTIONS", PAGE, **ASKS)
        assert (before.status_code, before.headers[ALLOWED]) == (204, PAGE)
        assert "PUT" in before.headers["access-control-allow-methods"]
        assert "X-API-Key" in before.headers["access-control-allow-headers"]
        for method in ("GET", "PUT"):
            answer = await asked(http, method, PAGE, **{"Sec-Fetch-Site": "cross-site"})
            assert (answer.status_code, answer.headers[ALLOWED]) == (200, PAGE)
            assert "ETag" in answer.headers["access-control-expose-headers"]
            assert "Origin" in answer.headers["vary"]
            assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", [OTHER, "http://app.example", f"{PAGE}:8443", "null", ""])
async def test_others_do_not(origin: str) -> None:
    async with gateway(PAGE) as http:
        read = await asked(http, "GET", origin)
        assert ALLOWED not in read.headers
        assert "Origin" in read.headers["vary"]
        assert (await asked(http, "OPTIONS", origin, **ASKS)).status_code == 405
        assert word(await asked(http, "PUT", origin)) == "cross-site"


async def test_all_pages_may_read_and_write_only_with_a_key() -> None:
    async with gateway("*") as http:
        assert (await asked(http, "GET", OTHER)).headers[ALLOWED] == OTHER
        assert word(await asked(http, "PUT", OTHER)) == "cross-site"
    async with gateway("*", [KEY]) as http:
        assert (await asked(http, "OPTIONS", OTHER, **ASKS)).status_code == 204
        assert (await asked(http, "PUT", OTHER, **{"X-API-Key": KEY})).status_code == 200
        refused = await asked(http, "PUT", OTHER)
        assert (refused.status_code, refused.headers[ALLOWED]) == (401, OTHER)


@pytest.mark.parametrize("said", ["app.example", "https://app.example/path", "ftp://x", "https://"])
async def test_what_is_no_origin_is_refused(said: str) -> None:
    with pytest.raises(SettingsError, match="is no origin"):
        Gateway(Routes(), origins=said)


HEADERS: Mapping[str, Mapping[str, str]] = {
    "/data": {
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "x-frame-options": "SAMEORIGIN",
    },
    "/page": {"content-security-policy": "frame-ancestors 'self'"},
    "/own": {"content-security-policy": "default-src 'self'", "x-frame-options": "DENY"},
    "/none": {"content-security-policy": "default-src 'none'; frame-ancestors 'none'"},
}


@pytest.mark.parametrize("path", HEADERS)
async def test_every_answer_says_what_browsers_are_not_to_do(path: str) -> None:
    async with gateway() as http:
        answer = await http.get(path)
    said = dict(answer.headers.multi_items())
    assert len(said) == len(answer.headers.multi_items())
    assert HEADERS[path].items() <= said.items()
    assert (said["x-content-type-options"], said["referrer-policy"]) == ("nosniff", "no-referrer")
    assert "strict-transport-security" not in said


async def test_an_application_beside_us_says_itself_what_may_run() -> None:
    """Its answer has no type while ours are added."""
    said = dict(Shield().over(Response()))
    assert b"content-security-policy" not in said
    assert said[b"x-content-type-options"] == b"nosniff"


async def test_browsers_are_told_to_stay_with_https() -> None:
    async with gateway(shield=Shield(60)) as http:
        answer = await http.get("/data")
    assert answer.headers["strict-transport-security"] == "max-age=60; includeSubDomains"
