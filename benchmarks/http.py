"""The least of HTTP/1.1 that a client of a gateway needs: cheap, and honest about what broke."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass


class Unsent(ConnectionError):
    """There was nobody to send the request to."""


class Dropped(ConnectionError):
    """The request may have arrived, but there was no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a gateway answered."""

    status: int
    headers: Mapping[str, str]
    """By their names in lower case."""
    body: bytes


class Line:
    """One connection to one gateway, made anew when it was lost; for one request at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        timeout: float,
    ) -> Response:
        """Return the answer; raises Unsent or Dropped if there is none in time."""
        try:
            async with asyncio.timeout(timeout):
                reader, writer = await self._connected()
                said = {"host": "localhost", "content-length": str(len(body)), **(headers or {})}
                lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
                writer.write(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body)
                return await _response(reader)
        except Unsent:
            raise
        except (OSError, EOFError) as error:
            self.close()
            raise Dropped(f"{method} {path} was not answered: {error!r}.") from error

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None and self._streams[0].at_eof():
            self.close()
        if self._streams is None:
            try:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError as error:
                raise Unsent(f"Nobody answers on port {self._port}.") from error
        return self._streams


async def _response(reader: asyncio.StreamReader) -> Response:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Response(status=int(first.split(" ")[1]), headers=headers, body=body)
