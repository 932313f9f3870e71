"""Whether a service can be used: asked of its gateway, as anybody would."""

import asyncio
from contextlib import suppress
from typing import Any

_ASK_SECONDS = 0.03


async def ready(address: tuple[Any, ...]) -> None:
    """Return when the gateway says it is ready; before it runs, the question waits at its port."""
    while not await _says_ready(address):  # noqa: ASYNC110 - another process says it
        await asyncio.sleep(_ASK_SECONDS)


async def _says_ready(address: tuple[Any, ...]) -> bool:
    with suppress(OSError):
        reader, writer = await asyncio.open_connection(*address[:2])
        writer.write(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        line = await reader.readline()
        writer.close()
        return b" 200" in line
    return False
