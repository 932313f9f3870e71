"""The application outlives whatever its endpoints and its clients do."""

import asyncio

import pytest
from starlette.requests import Request
from starlette.responses import Response
from structlog.testing import capture_logs

from tests.gateway.running import served, word
from treering import gateway
from treering.gateway.app import Gateway
from treering.gateway.http.body import json_object
from treering.gateway.http.routes import Routes


async def fails(_request: Request) -> Response:
    raise ZeroDivisionError("select secret from table")


async def echoes(request: Request) -> Response:
    return Response((await json_object(request))[0])


def application() -> Gateway:
    routes = Routes()
    routes.add("GET", "/fails", fails)
    routes.add("POST", "/echoes", echoes)
    return Gateway(routes)


async def test_a_fault_of_ours_is_told_without_its_inside() -> None:
    with capture_logs() as said:
        async with served(application()) as http:
            response = await http.get("/fails", headers={"X-Request-ID": "mine"})
            assert (await http.post("/echoes", json={})).content == b"{}"
    assert (response.status_code, word(response)) == (500, "internal")
    assert "secret" not in response.text
    assert "mine" in response.json()["detail"]
    assert response.headers["x-request-id"] == "mine"
    assert [(line["event"], line["request"]) for line in said] == [("a request failed", "mine")]


async def test_a_client_that_goes_away_leaves_no_trace() -> None:
    with capture_logs() as said:
        async with served(application()) as http:
            _, writer = await asyncio.open_connection(http.base_url.host, http.base_url.port)
            writer.write(
                b"POST /echoes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Content-Length: 9\r\n\r\n{"
            )
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            assert (await http.post("/echoes", json={})).content == b"{}"
    assert said == []


async def test_it_speaks_http_only() -> None:
    async def never() -> dict[str, object]:
        raise AssertionError

    async def unsaid(_message: object) -> None:
        raise AssertionError

    with pytest.raises(RuntimeError, match="speaks HTTP"):
        await application()({"type": "websocket"}, never, unsaid)


async def test_a_role_without_a_gateway_shows_its_figures() -> None:
    async with served(gateway.figures()) as http:
        assert "treering_append_seconds_count" in (await http.get("/metrics")).text
        assert (await http.get("/health/live")).json() == {"status": "live"}
        assert (await http.get("/api/v1/configs")).status_code == 404
