"""`/api/v1/live`: a WebSocket by which one client is told of all that it subscribes to."""

from collections.abc import Callable

from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from treering.errors import NotFound, Refusal
from treering.gateway.http.guard import Guard
from treering.gateway.http.problem import answer
from treering.gateway.live.offers import Offers
from treering.gateway.live.session import Session

PATH = "/api/v1/live"


class Sockets:
    """Answers WebSockets."""

    def __init__(self, offers: Offers, guard: Guard, *, most: int) -> None:
        self._guard = guard
        self._offers = offers
        self._most = most
        self._sessions: dict[Session, None] = {}
        self._ended: Refusal | None = None

    async def answer(
        self, scope: Scope, receive: Receive, send: Send, enter: Callable[[HTTPConnection], object]
    ) -> None:
        """Serve one connection, from its handshake to its end, if *enter* lets it in."""
        await receive()
        try:
            enter(HTTPConnection(scope))
            if scope["path"] != PATH:
                raise NotFound(f"No WebSocket is served there; connect to {PATH}.")
            if self._ended is not None:
                raise self._ended
        except Refusal as refusal:
            await _refuse(refusal, scope, send)
            return
        await send({"type": "websocket.accept"})
        session = Session(self._offers, scope, receive, send, most=self._most)
        self._sessions[session] = None
        self._guard.hold(scope, session)
        try:
            await session.run()
        finally:
            del self._sessions[session]

    def end(self, why: Refusal) -> None:
        """End all connections, and take no more."""
        self._ended = why
        for session in self._sessions:
            session.finish(why)


async def _refuse(refusal: Refusal, scope: Scope, send: Send) -> None:
    """Answer the handshake with a problem."""
    found = answer(refusal.problem(), scope["path"])
    kind = "websocket.http.response"
    headers = found.raw_headers
    await send({"type": f"{kind}.start", "status": found.status_code, "headers": headers})
    await send({"type": f"{kind}.body", "body": bytes(found.body)})
