"""What keeps one handler's turn apart from the next one's: rebalances, and a process that froze."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Collection
from time import monotonic

import structlog
from aiokafka import TopicPartition
from aiokafka.abc import ConsumerRebalanceListener

FROZEN = 75
"""Exit status of a process that froze for so long that another may have its work."""
_log = structlog.stdlib.get_logger(__name__)


class Turns(ConsumerRebalanceListener):
    """Holds a rebalance back until the batch in hand is settled, for at most *seconds*.

    Then it has what is settled committed. aiokafka awaits its listeners, whatever its base class
    says.

    A batch that takes longer goes on, but may not commit: `assignment` has changed by then.
    """

    def __init__(self, seconds: float, commit: Callable[[], Awaitable[None]]) -> None:
        self._seconds = seconds
        self._commit = commit
        self._settled = asyncio.Event()
        self._settled.set()
        self.assignment = 0
        """Changes when the partitions may have gone to another handler."""

    def begin(self) -> None:
        """Take a batch in hand."""
        self._settled.clear()

    def end(self) -> None:
        """Say that it is settled, or given up."""
        self._settled.set()

    @property
    def between(self) -> bool:
        """Whether there is no batch in hand."""
        return self._settled.is_set()

    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        revoked: Collection[TopicPartition],  # noqa: ARG002 - all are, every time
    ) -> None:
        """Wait for the batch; the member is kept alive meanwhile."""
        try:
            async with asyncio.timeout(self._seconds):
                await self._settled.wait()
        except TimeoutError:
            self.assignment += 1
            _log.warning(
                "A batch outlasts a rebalance; its commit is left out", seconds=self._seconds
            )
        else:
            await self._commit()

    async def on_partitions_assigned(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        assigned: Collection[TopicPartition],  # noqa: ARG002 - that there were some is enough
    ) -> None:
        """Note that what was in hand before may be another's now."""
        self.assignment += 1


class Watchdog:
    """Ends the process when its loop has stood still for *seconds*: it was frozen, and is late.

    Beside a successor that has its work already it would only do harm.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._seen = monotonic()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._seen = monotonic()
        self._tick()

    def stop(self) -> None:
        """Watch no longer."""
        if self._timer is not None:
            self._timer.cancel()

    def check(self) -> None:
        """End the process here if it was frozen since the last look."""
        gap = monotonic() - self._seen
        if gap > self._seconds:
            _log.error("Frozen for too long; leaving the work to others", seconds=round(gap, 2))
            os._exit(FROZEN)

    def _tick(self) -> None:
        self.check()
        self._seen = monotonic()
        self._timer = asyncio.get_running_loop().call_later(self._seconds / 8, self._tick)
