"""A request has so long and no longer."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from tests.gateway.running import problem, served, word
from treering.gateway.app import Gateway
from treering.gateway.http.patience import Patience
from treering.gateway.http.routes import Routes


async def _never(_request: Request) -> Response:
    await asyncio.Event().wait()
    raise AssertionError


async def _impatient(_request: Request) -> Response:
    raise TimeoutError


def _gateway(patience: Patience) -> Gateway:
    routes = Routes()
    routes.add("GET", "/never", _never)
    routes.add("POST", "/never", _never)
    routes.add("GET", "/impatient", _impatient)
    return Gateway(routes, patience=patience)


async def test_an_answer_that_does_not_begin_in_time_is_a_problem() -> None:
    async with served(_gateway(Patience(seconds=0.05, further=0.1))) as http:
        found = await http.get("/never")
        assert found.headers["retry-after"] == "1"
        assert "within 0.05 s" in problem(found)["detail"]
        assert word(found) == "timed-out"
        assert "within 0.15 s" in problem(await http.post("/never"))["detail"]


async def test_a_time_out_within_is_a_fault_of_ours() -> None:
    async with served(_gateway(Patience())) as http:
        assert word(await http.get("/impatient")) == "internal"
