"""What all answers of one collection say of it: that it is on its way out, how long they keep."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from treering.entity import Deprecated
from treering.gateway.http.routes import Endpoint, Routes

_SAFE = frozenset({"GET", "HEAD"})
_ASKED_AGAIN = "no-cache"
_DEPENDS_ON = "X-API-Key, Treering-Position"


def policed(routes: Routes, deprecated: Deprecated | None, cache_control: str | None) -> Routes:
    """Return what adds addresses to *routes* whose answers say so; *routes* if nothing is said."""
    if deprecated is None and cache_control is None:
        return routes
    return _Policed(routes, deprecated.headers() if deprecated else {}, cache_control)


class _Policed(Routes):
    """Adds addresses to others, with headers to their answers."""

    def __init__(self, routes: Routes, said: Mapping[str, str], cache_control: str | None) -> None:
        super().__init__()
        self._routes = routes
        self._said = said
        self._cache_control = cache_control

    def add(self, method: str, path: str, endpoint: Endpoint) -> None:
        async def telling(request: Request) -> Response:
            response = await endpoint(request)
            for name, value in self._said.items():
                response.headers.append(name, value)
            if self._cache_control and request.method in _SAFE:
                self._keep(response, self._cache_control)
            return response

        self._routes.add(method, path, telling)

    def _keep(self, response: Response, said: str) -> None:
        """Say how long it may be kept, where it would be asked for again each time."""
        if response.headers.get("Cache-Control") == _ASKED_AGAIN:
            response.headers["Cache-Control"] = said
            response.headers.append("Vary", _DEPENDS_ON)
