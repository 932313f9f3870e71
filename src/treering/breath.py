"""Long work in short pieces: heartbeats go on, and nobody takes a busy process for a frozen one."""

import asyncio
from time import monotonic

_SECONDS = 0.05


class Breath:
    """Gives way once a piece of work has taken long enough."""

    def __init__(self) -> None:
        self._since = monotonic()

    async def take(self) -> None:
        """Let others have their turn if they have waited."""
        if monotonic() - self._since > _SECONDS:
            await asyncio.sleep(0)
            self._since = monotonic()
