"""How long a request may take until its answer begins."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from treering.gateway.http.problem import TimedOut, answer

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Ends what takes too long; an answer that is poured out may take as long as it likes."""

    seconds: float = 30
    further: float = 0
    """Seconds that a write may take besides, in which its outcome is waited for."""

    async def bounded(self, request: Request, answering: Awaitable[Response]) -> Response:
        """Return the answer; a problem if it does not come in time."""
        seconds = self.seconds + (0 if request.method in _SAFE else self.further)
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await answering
        except TimeoutError:
            if not limit.expired():
                raise
            path: str = request.scope["path"]
            late = TimedOut(
                f"Nothing came of it within {seconds:g} s; ask for less at once, or have "
                "TREERING_REQUEST_SECONDS raised."
            )
            return answer(late.problem(), path)
