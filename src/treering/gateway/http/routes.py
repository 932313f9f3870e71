"""Which endpoint answers which address: a tree of segments, walked once a request."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from urllib.parse import quote, quote_from_bytes

from starlette.requests import Request
from starlette.responses import Response

from treering.entity.validation import nearest
from treering.errors import DeclarationError

type Endpoint = Callable[[Request], Awaitable[Response]]

_ANY = "{}"
_LONGEST = 128
"""Characters of a segment that others are compared with."""
_IN_PATHS = "/:$"
_IN_QUERIES = "/:$%&=?+,;@!*()~"
"""What stands as it is beside letters, digits and `-._~`; `>` would end the link."""


class Route:
    """One address, such as `/api/v1/datasets/{id}`, with an endpoint a method."""

    __slots__ = ("_within", "endpoints", "names", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self.names = [each[1:-1] for each in path.split("/") if each.startswith("{")]
        """Its parameters."""
        self.endpoints: dict[str, Endpoint] = {}
        self._within: dict[str, Route] = {}

    @property
    def methods(self) -> Sequence[str]:
        """The methods it answers."""
        return sorted(self.endpoints)

    def make(self, segment: str) -> "Route":
        """Return the route one segment further, made if need be."""
        name = _ANY if segment.startswith("{") else segment
        if name not in self._within:
            self._within[name] = Route(f"{self.path}/{segment}")
        return self._within[name]

    def all(self) -> "Iterator[Route]":
        """Yield it and all that is further, where something answers."""
        if self.endpoints:
            yield self
        for each in self._within.values():
            yield from each.all()

    def step(self, segment: str, values: list[str]) -> "Route | None":
        """Return the route one segment further; what stands at a parameter is noted in *values*."""
        if (literal := self._within.get(segment)) is not None:
            return literal
        if segment and (parameter := self._within.get(_ANY)) is not None:
            if segment[0] == "$" and self._has_operations:
                return None
            values.append(segment)
            return parameter
        return None

    @property
    def _has_operations(self) -> bool:
        return any(name.startswith("$") for name in self._within)

    def near(self, segment: str) -> str | None:
        """Return the segment behind it that was probably meant."""
        return nearest(segment[:_LONGEST], [name for name in self._within if name != _ANY])


class Routes:
    """All addresses."""

    def __init__(self) -> None:
        self._root = Route("")

    def add(self, method: str, path: str, endpoint: Endpoint) -> None:
        """Let *endpoint* answer; raises DeclarationError if another one does already."""
        route = self._root
        for segment in path.split("/")[1:]:
            route = route.make(segment)
        if method in route.endpoints:
            raise DeclarationError(
                f"Two answer {method} {path}: give an entity there another `plural`, a read model "
                "another name, or say `served=False` of it."
            )
        route.endpoints[method] = endpoint
        if method == "GET":
            route.endpoints["HEAD"] = endpoint

    def all(self) -> Iterator[Route]:
        """Yield every address that is answered."""
        return self._root.all()

    def leading_to(self, old: str, new: str) -> "Routes":
        """Return what adds addresses below *old* that say in each answer where they are now."""
        return _Leading(self, old, new)

    def find(self, path: str, values: list[str]) -> Route | None:
        """Return the route of *path*; what stands at its parameters goes into *values*."""
        route: Route | None = self._root
        for segment in path.split("/")[1:]:
            route = route.step(segment, values)
            if route is None:
                return None
        return route if route.endpoints else None

    def near(self, path: str) -> str | None:
        """Return the address that was probably meant by a *path* at which nothing answers."""
        route: Route = self._root
        segments = path.split("/")[1:]
        for place, segment in enumerate(segments):
            further = route.step(segment, [])
            if further is None:
                found = route.near(segment)
                return found and "/".join(["", *segments[:place], found, *segments[place + 1 :]])
            route = further
        return None


class _Leading(Routes):
    """Adds addresses to others; whoever asks there is led to where they are now."""

    def __init__(self, routes: Routes, old: str, new: str) -> None:
        super().__init__()
        self._routes = routes
        self._old = old
        self._new = new

    def add(self, method: str, path: str, endpoint: Endpoint) -> None:
        async def leading(request: Request) -> Response:
            response = await endpoint(request)
            now = quote(request.scope["path"].replace(self._old, self._new, 1), safe=_IN_PATHS)
            if query := request.scope["query_string"]:
                now += f"?{quote_from_bytes(query, safe=_IN_QUERIES)}"
            response.headers.append("Link", f'<{now}>; rel="successor-version"')
            return response

        self._routes.add(method, path, leading)
