"""One look-up finds the endpoint; no two answer one address."""

import pytest
from starlette.requests import Request
from starlette.responses import Response

from treering.errors import DeclarationError
from treering.gateway.http.routes import Routes


async def endpoint(_request: Request) -> Response:
    return Response()


def test_an_address_finds_its_endpoint_and_parameters() -> None:
    routes = Routes()
    routes.add("GET", "/things/{id}/$tree", endpoint)
    values: list[str] = []
    route = routes.find("/things/7/$tree", values)
    assert route is not None
    assert (route.path, route.names, values) == ("/things/{id}/$tree", ["id"], ["7"])
    assert route.endpoints == {"GET": endpoint, "HEAD": endpoint}


def test_a_word_goes_before_a_parameter() -> None:
    routes = Routes()
    routes.add("GET", "/things/{id}", endpoint)
    routes.add("GET", "/things/$schema", endpoint)
    values: list[str] = []
    route = routes.find("/things/$schema", values)
    assert route is not None
    assert (route.path, values) == ("/things/$schema", [])


@pytest.mark.parametrize("path", ["", "/", "/things", "/things/", "/things/7/", "/things/7/$tree"])
def test_what_was_not_added_is_not_found(path: str) -> None:
    routes = Routes()
    routes.add("GET", "/things/{id}", endpoint)
    assert routes.find(path, []) is None


def test_two_for_one_address_are_refused() -> None:
    routes = Routes()
    routes.add("GET", "/api/v1/commands/{id}", endpoint)
    routes.add("PUT", "/api/v1/commands/{id}", endpoint)
    with pytest.raises(DeclarationError, match="plural"):
        routes.add("GET", "/api/v1/commands/{id}", endpoint)
