"""The projector: folds what is appended into read models, from where each of them stands.

Any number of them may run; each read model is folded by one. Another takes over about a second
after that one fell silent.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

import structlog

from treering.errors import StoreNotReady, StoreUnavailable
from treering.projection.declaration import Projection, check_apart
from treering.projection.ground import Ground
from treering.projection.shift import Shift
from treering.registry import Registry
from treering.store import Reader

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectorOptions:
    """How a projector behaves."""

    session_seconds: float = 1.0
    """Seconds of silence after which another projector may take over."""
    accepts: bool = False
    """Whether a new build takes its place although it differs from the one that has it."""
    rollback_seconds: float = 5.0
    """Seconds without a projector of a newer version after which views show this one again."""


DEFAULT_OPTIONS = ProjectorOptions()


class Projector:
    """Folds the events of one namespace into *projections*; *reader* may write read models."""

    def __init__(
        self,
        reader: Reader,
        registry: Registry,
        projections: Sequence[Projection],
        *,
        namespace: str,
        options: ProjectorOptions = DEFAULT_OPTIONS,
    ) -> None:
        check_apart(projections)
        self._projections = projections
        self._options = options
        self._ground = Ground(
            reader=reader,
            registry=registry,
            namespace=namespace,
            seconds=options.session_seconds,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Fold until *stop* is set; what is not written by then is folded again the next time.

        Goes on by itself when the database was away, and when another projector was in the way.
        """
        pause = _FIRST_PAUSE
        while not stop.is_set():
            began = monotonic()
            try:
                await self._work(stop)
            except* (StoreUnavailable, StoreNotReady) as lost:
                _log.warning("projector begins again", reason=str(lost.exceptions[0]))
            pause = min(2 * pause, _LONGEST_PAUSE) if monotonic() - began < 10 else _FIRST_PAUSE
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await stop.wait()

    async def _work(self, stop: asyncio.Event) -> None:
        """Do one shift: from taking locks to losing them."""
        ground = self._ground
        async with (
            ground.session(self._projections) as session,
            ground.connection() as connection,
            asyncio.TaskGroup() as tasks,
        ):
            shift = Shift(
                ground,
                self._projections,
                session,
                connection,
                tasks,
                accepts=self._options.accepts,
                rollback_seconds=self._options.rollback_seconds,
            )
            await shift.work(stop)
