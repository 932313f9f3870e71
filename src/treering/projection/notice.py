"""How far builds are on their way, noted for those who wait, about once a second."""

from collections.abc import Callable
from time import monotonic

from treering.message import Position
from treering.projection.pack import Pack
from treering.sql import statement
from treering.store.connecting import translated

_EVERY = 1.0

type Report = Callable[[Position], None]


class Notice:
    """Notes how far the followers of *pack* are, and tells *report*."""

    def __init__(self, pack: Pack, report: Report | None = None) -> None:
        self._pack = pack
        self._report = report
        self._due = 0.0

    async def begin(self) -> None:
        """Note that they are on their way."""
        names, builds, _ = self._standing()
        with translated():
            await self._pack.connection.execute(statement("projection_started"), names, builds)
        self._due = monotonic() + _EVERY

    async def __call__(self) -> None:
        """Note it if it is time."""
        names, builds, positions = self._standing()
        if self._report is not None and positions:
            self._report(min(positions))
        if monotonic() < self._due:
            return
        self._due = monotonic() + _EVERY
        await self._pack.look_for_skips()
        with translated():
            await self._pack.connection.execute(
                statement("projection_reached"), names, builds, positions
            )

    def _standing(self) -> tuple[list[str], list[int], list[Position]]:
        followers = self._pack.followers
        return (
            [each.name for each in followers],
            [each.build.build for each in followers],
            [each.reached.position for each in followers],
        )
