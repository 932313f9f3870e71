"""`GET /api/v1/events`: what happens, or has happened since, as server-sent events."""

from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Scope

from treering.domain.api_key import KIND as KEYS
from treering.entity.validation import fault, invalid, nearest
from treering.gateway.http.guard import Guard, require
from treering.gateway.http.query import Parser, parsed
from treering.gateway.http.routes import Routes
from treering.gateway.live.feed import Feed
from treering.gateway.live.hiding import hidden_from
from treering.gateway.live.tail import LiveOptions, Tail
from treering.gateway.live.told import SHAPE, WORDS
from treering.gateway.live.wish import wish_for
from treering.gateway.positions import Epoch
from treering.message import Position
from treering.query import Filter, Parsing, conditions_on, values_of
from treering.query.shape import Fault
from treering.registry import Registry

PATH = "/api/v1/events"
_KNOWN: Mapping[str, Parser] = {"after": str}
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
EVENT_STREAM = "text/event-stream"


class Streams:
    """Tells each who asks what it wants to know, from one tail."""

    def __init__(
        self, tail: Tail, epoch: Epoch, registry: Registry, options: LiveOptions, guard: Guard
    ) -> None:
        self._guard = guard
        self._tail = tail
        self._epoch = epoch
        self._kinds = [*registry.deciders]
        self._options = options

    def add_to(self, routes: Routes) -> None:
        """Add the address."""
        routes.add("GET", PATH, self.events)

    async def events(self, request: Request) -> Response:
        """Answer with the events that match, from a position on, and with those to come."""
        parsing = Parsing(SHAPE, parts=("filter",), reserved=_KNOWN)
        said = parsed(request.scope["query_string"], _KNOWN, parsing)
        filters = self._seen(request.scope, parsing.filters)
        if self._tail.ended is not None:
            raise self._tail.ended
        after = await self._after(request.headers.get("last-event-id"), said.get("after"))
        await self._tail.begin()
        if request.method == "HEAD":
            return Response(headers=_HEADERS, media_type=EVENT_STREAM)
        position = await self._tail.now() if after is None else after
        feed = Feed(self._tail, wish_for(filters, WORDS), position, self._options)
        self._guard.hold(request.scope, feed)
        return StreamingResponse(feed.parts(), headers=_HEADERS, media_type=EVENT_STREAM)

    async def _after(self, last: str | None, said: str | None) -> Position | None:
        """Return the position that was told last; the header is newer than the address."""
        if last:
            return await self._epoch.position(last, "Last-Event-ID")
        return await self._epoch.position(said, "after") if said else None

    def _seen(self, scope: Scope, filters: Sequence[Filter]) -> Sequence[Filter]:
        """Return *filters*, and that keys are seen only by those who may make some.

        Kinds that there are none of are refused: nobody wants to wait for ever for nothing.
        """
        asked = [each for each in conditions_on(filters) if each.field == "kind"]
        kinds = [kind for each in asked for kind in values_of(each) or ()]
        if unknown := [kind for kind in kinds if kind not in self._kinds]:
            raise invalid([self._fault(kind) for kind in unknown])
        if KEYS in kinds:
            require(scope, "admin")
        return [*filters, *hidden_from(scope)]

    def _fault(self, kind: str) -> Fault:
        near = nearest(kind, self._kinds)
        return fault(("query", "kind"), "wrong_value", "There is no such kind", kind, near=near)
