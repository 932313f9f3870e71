"""What stands between a client and PostgreSQL: a wire that can fall silent without breaking."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

type _Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Between:
    """Forwards bytes both ways; once silent nothing arrives, and nobody is told."""

    def __init__(self, url: str) -> None:
        self.url = ""
        self._parts = urlsplit(url)
        self._hears = asyncio.Event()
        self._speaks = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self.speak_again()

    def fall_silent(self, *, hears: bool = False) -> None:
        """Keep what PostgreSQL says, and what it is told unless it *hears*."""
        self._speaks.clear()
        if not hears:
            self._hears.clear()

    def speak_again(self) -> None:
        """Forward what was kept and what comes."""
        self._speaks.set()
        self._hears.set()

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one client."""
        there, back = await self._reach()
        self._writers += [writer, back]
        for pumped in (_pump(reader, back, self._hears), _pump(there, writer, self._speaks)):
            self._tasks.add(asyncio.create_task(pumped))

    async def end(self) -> None:
        """Hang up on everybody."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()

    async def _reach(self) -> _Streams:
        if self._parts.hostname:
            return await asyncio.open_connection(self._parts.hostname, self._parts.port)
        asked = parse_qs(self._parts.query)
        return await asyncio.open_unix_connection(f"{asked['host'][0]}/.s.PGSQL.{asked['port'][0]}")


@asynccontextmanager
async def between(url: str) -> AsyncGenerator[Between]:
    """Listen on a port for clients of the database at *url*."""
    made = Between(url)
    server = await asyncio.start_server(made.meet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    parts = urlsplit(url)
    who = parts.netloc.rpartition("@")[0]
    made.url = f"postgresql://{who}@127.0.0.1:{port}{parts.path}"
    try:
        yield made
    finally:
        server.close()
        await made.end()


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, goes_on: asyncio.Event
) -> None:
    while data := await reader.read(65536):
        await goes_on.wait()
        writer.write(data)
    await goes_on.wait()
    writer.close()
