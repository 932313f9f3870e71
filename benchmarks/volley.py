"""Clients of a web server that cost little, so that the server is what is measured."""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import cast, override

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END = b"\r\n\r\n"

type Said = Callable[[], bytes]
"""Makes the next request, as it goes over the wire."""


def request(
    method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> bytes:
    """Return a request as it goes over the wire."""
    said = {"host": "localhost", **(headers or {})}
    if body:
        said |= {"content-type": "application/json", "content-length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


class Volley:
    """Requests to one server on this machine; raises RuntimeError for any other *status*."""

    def __init__(self, port: int, said: Said, status: int = 200) -> None:
        self._port = port
        self._said = said
        self._status = str(status).encode()

    async def alone(self, count: int) -> float:
        """Return the median of *count* requests on one connection, in milliseconds."""
        return median(await self._each(count))

    async def summed(self, count: int) -> float:
        """Return what *count* requests take one after the other, in milliseconds."""
        return sum(await self._each(count))

    async def _each(self, count: int) -> list[float]:
        line = await self._line()
        taken: list[float] = []
        for _ in range(count):
            said = self._said()
            began = time.perf_counter()
            await line.ask(said)
            taken.append(1000 * (time.perf_counter() - began))
        line.close()
        return taken

    async def together(self, connections: int, seconds: float) -> float:
        """Return how many requests a second are answered to so many connections."""
        lines = [await self._line() for _ in range(connections)]
        began = time.perf_counter()
        done = sum(await asyncio.gather(*(self._on(each, began + seconds) for each in lines)))
        rate = done / (time.perf_counter() - began)
        for each in lines:
            each.close()
        return rate

    async def _on(self, line: "_Line", end: float) -> int:
        done = 0
        while time.perf_counter() < end:
            await line.ask(self._said())
            done += 1
        return done

    async def _line(self) -> "_Line":
        loop = asyncio.get_running_loop()
        _, line = await loop.create_connection(lambda: _Line(self._status), "127.0.0.1", self._port)
        return line


class _Line(asyncio.Protocol):
    """One connection, for one request at a time."""

    def __init__(self, status: bytes) -> None:
        self._status = status
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._needed = 0
        """Bytes of the answer; none while its head is not there."""
        self._answered: asyncio.Future[None] | None = None

    async def ask(self, said: bytes) -> None:
        """Wait for the answer to one request."""
        if self._transport is None:
            raise RuntimeError("The line is not connected.")
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(said)
        await self._answered

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._needed:
            end = self._buffer.find(_END)
            if end < 0:
                return
            length = _LENGTH.search(self._buffer, 0, end)
            self._needed = end + len(_END) + (int(length[1]) if length else 0)
        if len(self._buffer) >= self._needed and self._answered is not None:
            self._tell(self._answered)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(RuntimeError(f"The server hung up: {exc!r}."))

    def _tell(self, answered: "asyncio.Future[None]") -> None:
        if bytes(self._buffer[9:12]) == self._status:
            answered.set_result(None)
        else:
            answered.set_exception(RuntimeError(bytes(self._buffer[:600]).decode("latin-1")))
        self._buffer.clear()
        self._needed = 0
