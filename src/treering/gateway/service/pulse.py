"""`GET /health/$stream`: how it is, again and again, as server-sent events."""

import asyncio
import math
from collections.abc import AsyncGenerator, Mapping

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from treering.gateway.http.query import Parser, parsed
from treering.gateway.http.routes import Endpoint, Routes
from treering.gateway.live import EVENT_STREAM, Tail

_LONGEST = 60.0
_SHORTEST = 0.1
"""Each look asks the database, so that nobody may have one more often."""
_LOOK = 0.5
"""Seconds after which it is noticed that the process ends."""
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def _interval(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= _LONGEST:
        raise ValueError(f"Is a number of seconds, more than 0 and at most {_LONGEST:g}")
    return seconds


_KNOWN: Mapping[str, Parser] = {"poll_interval": _interval}


class Pulse:
    """Tells what *health* answers, every second unless said, until the *tail* is ended."""

    def __init__(self, health: Endpoint, tail: Tail) -> None:
        self._health = health
        self._tail = tail

    def add_to(self, routes: Routes) -> None:
        """Add the address."""
        routes.add("GET", "/health/$stream", self.stream)

    async def stream(self, request: Request) -> Response:
        """Answer with every check, now and every so many seconds."""
        said = parsed(request.scope["query_string"], _KNOWN)
        if request.method == "HEAD":
            return Response(headers=_HEADERS, media_type=EVENT_STREAM)
        beats = self._beats(request, max(said.get("poll_interval", 1.0), _SHORTEST))
        return StreamingResponse(beats, headers=_HEADERS, media_type=EVENT_STREAM)

    async def _beats(self, request: Request, interval: float) -> AsyncGenerator[bytes]:
        while self._tail.ended is None:
            found = await self._health(request)
            yield b"data: %s\n\n" % bytes(found.body)
            left = interval
            while left > 0 and self._tail.ended is None:
                await asyncio.sleep(min(left, _LOOK))
                left -= _LOOK
