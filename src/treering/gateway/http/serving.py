"""The web server: uvicorn on one socket, told by an event when to stop."""

import asyncio
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from treering.errors import SettingsError
from treering.gateway.http.protocol import Protocol

_BACKLOG = 2048
_KEEP_ALIVE = 75
_LARGEST = 65_536
"""Bytes of what a client says over a WebSocket."""
_GIVEN_UP = 60_000
"""Milliseconds after which a client that takes nothing of what it was sent has gone (on Linux)."""


class _Server(uvicorn.Server):
    """One that leaves signals to the process it runs in."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; raises SettingsError if it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _GIVEN_UP)
        listener.settimeout(0)
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"{host}:{port} cannot be listened on ({error.strerror}): "
            "stop who does, or say PORT= another."
        ) from error
    return listener


def address(listener: socket.socket) -> str:
    """Return the URL under which *listener* is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(  # noqa: PLR0913 - an address, an end, and who wants to know
    app: ASGIApp,
    host: str,
    port: int,
    stop: asyncio.Event,
    *,
    drain_seconds: float = 10,
    listening: Callable[[str], None] | None = None,
    draining: Callable[[], None] | None = None,
    listener: socket.socket | None = None,
) -> None:
    """Serve *app* until *stop* is set, then finish what was begun within *drain_seconds*.

    *listening* is called with the URL once requests are taken, which with port 0 nobody else
    knows, *draining* when it is told to stop. A *listener* that somebody has opened already is
    used instead of one of our own.
    Raises SettingsError if the address is taken.
    """
    listener = listener or listen(host, port)
    server = _Server(_configuration(app, drain_seconds))
    if listening is not None:
        listening(address(listener))
    ending = asyncio.create_task(_end(server, stop, draining), name="gateway's end")
    try:
        await server.serve(sockets=[listener])
    finally:
        ending.cancel()


def _configuration(app: ASGIApp, drain_seconds: float) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="none",
        http=Protocol,
        ws="websockets-sansio",
        ws_max_size=_LARGEST,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=max(1, round(drain_seconds)),
    )


async def _end(
    server: uvicorn.Server, stop: asyncio.Event, draining: Callable[[], None] | None
) -> None:
    await stop.wait()
    server.should_exit = True
    if draining is not None:
        draining()
