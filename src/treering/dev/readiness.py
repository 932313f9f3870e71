"""Whether a service can be used: asked of its gateway, as anybody would."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import Any

_ASK_SECONDS = 0.03
_PATIENCE = 3.0
"""Seconds for which read models may be missing before anybody is told."""


async def missing(address: tuple[Any, ...]) -> AsyncGenerator[str]:
    """Yield which read models are missing, once nothing else has been for seconds; end when ready.

    Before the gateway runs, the question waits at its port.
    """
    told, since = "", time.monotonic()
    while (found := await _missing(address)) != {}:
        if found is None or [*found] != ["read_models"]:
            since = time.monotonic()
        elif time.monotonic() - since > _PATIENCE and found["read_models"] != told:
            told = found["read_models"]
            yield told
        await asyncio.sleep(_ASK_SECONDS)


async def _missing(address: tuple[Any, ...]) -> Mapping[str, str] | None:
    """Return what the gateway waits for, nothing if it is ready, None if it does not say."""
    with suppress(OSError, ValueError):
        reader, writer = await asyncio.open_connection(*address[:2])
        writer.write(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        if b" 200" in head.partition(b"\r\n")[0]:
            return {}
        return json.loads(body).get("waiting_for")
    return None
