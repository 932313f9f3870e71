"""A client of the WebSocket `/api/v1/live`."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect

_SECONDS = 20


class Speaking:
    """Says what it wants, and hears what it is told."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, **message: Any) -> None:
        """Send a message."""
        await self.connection.send(msgspec.json.encode(message).decode())

    async def hear(self) -> Mapping[str, Any]:
        """Return the next message."""
        async with asyncio.timeout(_SECONDS):
            return msgspec.json.decode(await self.connection.recv())

    async def subscribe(self, named: str, **more: Any) -> Mapping[str, Any]:
        """Subscribe, and return what is answered."""
        await self.say(type="subscribe", id=named, **more)
        found = await self.hear()
        assert found["id"] == named
        return found


@asynccontextmanager
async def speaking(url: str, **headers: str) -> AsyncGenerator[Speaking]:
    """Connect to the service at *url*."""
    address = f"{url.replace('http', 'ws', 1)}/api/v1/live"
    async with connect(address, additional_headers=headers, max_size=None) as connection:
        yield Speaking(connection)
