"""The plainly named views show the newest version that somebody folds.

When the newer ones are gone, as after a rollback, they show an older one again by itself.
"""

from collections.abc import Iterable, Sequence
from time import monotonic

import asyncpg
import structlog

from treering.errors import StoreError
from treering.projection.announcing import folded
from treering.projection.build import Build, builds
from treering.projection.takeup import outranked, show_again
from treering.store.connecting import translated

_EVERY = 1.0
_log = structlog.stdlib.get_logger(__name__)


class Views:
    """Looks after the views of the read models that are folded here, and have caught up."""

    def __init__(self, schema: str, connection: asyncpg.Connection, seconds: float) -> None:
        self._schema = schema
        self._connection = connection
        self._seconds = seconds
        """Without anybody who folds a newer version until that counts as gone."""
        self._alone: dict[str, float] = {}
        """Since when nobody folds a newer version, by name."""
        self._said: dict[str, str] = {}
        """What was said to be in the way, by name."""
        self._due = 0.0

    async def look(self, own: Iterable[tuple[str, int]]) -> None:
        """Look after the views that builds of *own* are to be shown by, about once a second.

        Whatever is in the way, this only raises when the connection is gone.
        """
        if monotonic() < self._due:
            return
        self._due = monotonic() + _EVERY
        ids = {*own}
        try:
            with translated():
                found = await builds(self._connection, [name for name, _ in ids])
        except StoreError as error:
            self._complain("all", error)
            return
        for build in found:
            if build.id in ids and build.serves:
                await self._try(build, [each for each in found if each.name == build.name])

    async def _try(self, build: Build, found: Sequence[Build]) -> None:
        if build.is_shown:
            self._alone.pop(build.name, None)
            self._said.pop(build.name, None)
            return
        try:
            with translated():
                hindrance = await self._look_after(build, found)
        except StoreError as error:
            hindrance = error
        if hindrance is not None:
            self._complain(build.name, hindrance)

    async def _look_after(self, own: Build, found: Sequence[Build]) -> StoreError | None:
        """Return what hinders the view from showing *own*, if it should."""
        name, now = own.name, monotonic()
        if outranked(own, found, await folded(self._connection, self._schema, found)):
            self._alone.pop(name, None)
            return None
        shown = next((each for each in found if each.is_shown), None)
        is_newer = shown is not None and shown.born > own.born
        if is_newer and now - self._alone.setdefault(name, now) < self._seconds:
            return None
        match await show_again(self._connection, own, self._schema):
            case True:
                _log.info("view is moved", name=name, build=own.build)
            case False:
                pass
            case StoreError() as hindrance:
                return hindrance
        return None

    def _complain(self, name: str, hindrance: StoreError) -> None:
        """Say what is in the way, once."""
        if self._connection.is_closed():
            raise hindrance
        if self._said.get(name) != str(hindrance):
            self._said[name] = str(hindrance)
            _log.warning("view stays", name=name, reason=str(hindrance))
