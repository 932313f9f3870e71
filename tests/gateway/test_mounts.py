"""What stands beside the API: somebody's application, or a folder of files."""

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.gateway.running import problem, served, word
from treering.errors import DeclarationError
from treering.gateway import Gateway, Mounts
from treering.gateway.http.origin import names_of
from treering.gateway.http.routes import Routes
from treering.mount import Mount


async def _told(request: Request) -> Response:
    said = {"path": request.url.path, "root": request.scope["root_path"], **request.path_params}
    headers = {"X-Request-ID": "its own"} if "own" in request.query_params else {}
    return JSONResponse({**said, "body": (await request.body()).decode()}, headers=headers)


async def _api(_request: Request) -> Response:
    return PlainTextResponse("the API")


APP = Starlette(routes=[Route("/things/{name}", _told, methods=["GET", "POST"])])


async def broken(_scope: object, _receive: object, _send: object) -> None:
    raise ZeroDivisionError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    web = tmp_path / "web"
    (web / "parts").mkdir(parents=True)
    (web / "index.html").write_text("<h1>The page</h1>")
    (web / "parts" / "index.html").write_text("<h1>Parts</h1>")
    (web / "app.js").write_text("let rings = 1")
    (tmp_path / "secret").write_text("secret")
    (web / "way-out").symlink_to(tmp_path / "secret")
    return tmp_path


@pytest_asyncio.fixture
async def http(folder: Path) -> AsyncGenerator[httpx2.AsyncClient]:
    routes = Routes()
    routes.add("GET", "/api/v1/things", _api)
    mounts = Mounts(
        [
            Mount(path="/reports", app=APP),
            Mount(path="/shop", folder="web"),
            Mount(path="/shop/broken", app=broken),
        ],
        root=folder,
    )
    mounts.require_room(routes)
    gateway = Gateway(routes, names_of("127.0.0.1", None), mounts=mounts)
    async with served(gateway) as client:
        yield client


async def test_an_application_answers_below_its_path(http: httpx2.AsyncClient) -> None:
    response = await http.post("/reports/things/rain", content=b"wet")
    assert response.json() == {
        "path": "/reports/things/rain", "root": "/reports", "name": "rain", "body": "wet",
    }  # fmt: skip
    assert len(response.headers["x-request-id"]) == 26
    assert (await http.get("/api/v1/things")).text == "the API"
    assert (await http.get("/reports/nothing")).status_code == 404


async def test_its_own_headers_stay(http: httpx2.AsyncClient) -> None:
    response = await http.get("/reports/things/rain?own")
    assert response.headers.get_list("x-request-id") == ["its own"]


async def test_it_stands_behind_the_same_doors(http: httpx2.AsyncClient) -> None:
    foreign = {"Origin": "https://evil.example"}
    response = await http.post("/reports/things/rain", headers=foreign)
    assert (response.status_code, word(response)) == (403, "cross-site")
    response = await http.get("/shop/", headers={"Host": "evil.example"})
    assert (response.status_code, word(response)) == (421, "unknown-host")


async def test_a_fault_of_its_own_is_a_problem(http: httpx2.AsyncClient) -> None:
    response = await http.get("/shop/broken")
    assert (response.status_code, word(response)) == (500, "internal")
    assert "ZeroDivision" not in response.text


async def test_a_path_that_only_begins_alike_is_not_its_own(http: httpx2.AsyncClient) -> None:
    response = await http.get("/shopping")
    assert (response.status_code, word(response)) == (404, "not-found")


async def test_a_folder_is_shown_with_its_pages(http: httpx2.AsyncClient) -> None:
    page = await http.get("/shop/")
    assert (page.status_code, page.text) == (200, "<h1>The page</h1>")
    assert page.headers["content-type"].startswith("text/html")
    assert (await http.get("/shop", follow_redirects=True)).text == page.text
    assert (await http.get("/shop/parts/")).text == "<h1>Parts</h1>"
    script = await http.get("/shop/app.js")
    assert "javascript" in script.headers["content-type"]


async def test_what_the_client_has_is_not_sent_again(http: httpx2.AsyncClient) -> None:
    first = await http.get("/shop/app.js")
    again = await http.get("/shop/app.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_addresses_within_the_page_lead_to_the_page(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/shop/orders/7")).text == "<h1>The page</h1>"
    missing = await http.get("/shop/missing.js")
    assert (missing.status_code, word(missing)) == (404, "not-found")
    written = await http.post("/shop/app.js")
    assert (written.status_code, word(written)) == (405, "method-not-allowed")
    assert problem(written)["allowed"] == ["GET", "HEAD"]


@pytest.mark.parametrize(
    "path",
    ["/shop/../secret", "/shop/%2e%2e/secret", "/shop/..%2fsecret", "/shop/%2Fetc/passwd",
     "/shop/parts/..%5c..%5csecret", "/shop/way-out", "/shop/%00"],
)  # fmt: skip
async def test_nobody_gets_out_of_a_folder(http: httpx2.AsyncClient, path: str) -> None:
    response = await http.get(path)
    assert response.status_code in {200, 404}
    assert "secret" not in response.text or response.status_code == 404
    assert "root:" not in response.text


@pytest.mark.parametrize(
    "said",
    [
        {"path": "shop", "folder": "web"},
        {"path": "/shop/", "folder": "web"},
        {"path": "/", "folder": "web"},
        {"path": "/shop/../x", "folder": "web"},
        {"path": "/shop"},
        {"path": "/shop", "folder": "web", "app": APP},
    ],
)
def test_what_can_stand_nowhere_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(DeclarationError, match="Mount"):
        Mount(**said)  # type: ignore[arg-type]


def test_a_folder_has_a_page(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match=r"no index\.html in web"):
        Mounts([Mount(path="/shop", folder="web")], root=tmp_path)


@pytest.mark.parametrize("path", ["/api", "/api/v1/things", "/reports"])
def test_two_do_not_stand_at_one_place(path: str) -> None:
    routes = Routes()
    routes.add("GET", "/api/v1/things", _api)
    mounts = Mounts([Mount(path="/reports", app=APP), Mount(path=path, app=APP)])
    with pytest.raises(DeclarationError, match="take another path"):
        mounts.require_room(routes)
