"""Answers in the gateway's place while its code can not be run: 503, and why."""

import asyncio
import json
import socket
from contextlib import suppress

_BACKLOG = 1024
_LONGEST = 1 << 20
_LEAVE_SECONDS = 2.0


class Refusal:
    """Takes what comes to *listener* between `begin` and `end`; the listener stays open."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._server: asyncio.Server | None = None
        self._reason = ""

    @property
    def begun(self) -> bool:
        """Whether it answers now."""
        return self._server is not None

    async def begin(self, reason: str) -> None:
        """Answer every request with 503 and *reason* from now on."""
        self._reason = reason
        if self._server is None:
            self._server = await asyncio.start_server(
                self._answer, sock=self._listener.dup(), limit=_LONGEST, backlog=_BACKLOG
            )

    def end(self) -> None:
        """Leave what comes to the gateway again."""
        if self._server:
            self._server.close()
            self._server = None

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gone = (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
        with suppress(*gone):
            async with asyncio.timeout(_LEAVE_SECONDS):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(self._response())
                writer.write_eof()
                while await reader.read(_LONGEST):
                    """Closed on a sender who still speaks, the answer would be lost."""
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    def _response(self) -> bytes:
        problem = {
            "type": "about:blank",
            "title": "Service Unavailable",
            "status": 503,
            "detail": f"The service can not be started: {self._reason}",
        }
        body = json.dumps(problem).encode()
        head = (
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"
            f"Content-Length: {len(body)}\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
        )
        return head.encode() + body
