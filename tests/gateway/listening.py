"""A client of server-sent events, which reads them as browsers do."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import msgspec

_SECONDS = 20


@dataclass(kw_only=True)
class Heard:
    """One block of a stream."""

    id: str | None = None
    event: str = "message"
    data: Any = None
    retry: int | None = None


@dataclass
class Listening:
    """What comes, block after block."""

    lines: AsyncIterator[str]
    last_id: str = ""
    blocks: list[Heard] = field(default_factory=list[Heard])

    async def block(self) -> Heard:
        """Return the next block; raises EOFError at the end."""
        found = Heard()
        async with asyncio.timeout(_SECONDS):
            async for line in self.lines:
                name, _, text = line.partition(": ")
                match name:
                    case "":
                        if found != Heard():
                            self.blocks.append(found)
                            return found
                    case "id":
                        found.id = self.last_id = text
                    case "event":
                        found.event = text
                    case "retry":
                        found.retry = int(text)
                    case "data":
                        found.data = msgspec.json.decode(text)
                    case _:
                        raise ValueError(line)
        raise EOFError

    async def next(self) -> Heard:
        """Return the next one that has data."""
        while (found := await self.block()).data is None:
            pass
        return found

    async def event(self) -> Mapping[str, Any]:
        """Return the next event."""
        found = await self.next()
        assert found.event == "message", found
        assert found.id is not None
        assert found.id.endswith(f":{found.data['position']}")
        return found.data

    async def names(self, count: int) -> list[str]:
        """Return what the next events say in `name`."""
        return [(await self.event())["data"]["name"] for _ in range(count)]


@asynccontextmanager
async def listening(
    http: httpx2.AsyncClient, query: str = "", last: str | None = None
) -> AsyncGenerator[Listening]:
    """Listen to `/api/v1/events`."""
    headers = {"Accept": "text/event-stream", "Last-Event-ID": last or ""}
    async with http.stream("GET", f"/api/v1/events{query}", headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        found = Listening(response.aiter_lines())
        first = await found.block()
        assert first.retry
        yield found
