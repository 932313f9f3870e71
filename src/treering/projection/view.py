"""The plainly named views show the newest version that somebody folds.

When the newer ones are gone, as after a rollback, they show an older one again by itself.
"""

from contextlib import suppress
from time import monotonic

import asyncpg
import structlog

from treering.projection.announcing import folded
from treering.projection.build import builds
from treering.projection.follower import Follower
from treering.projection.takeup import outranked, show_again
from treering.store.connecting import translated

_EVERY = 1.0
_log = structlog.stdlib.get_logger(__name__)


class Views:
    """Looks after the views of the read models that are folded here."""

    def __init__(self, schema: str, connection: asyncpg.Connection, seconds: float) -> None:
        self._schema = schema
        self._connection = connection
        self._seconds = seconds
        """Without anybody who folds a newer version until that counts as gone."""
        self._watched: dict[str, Follower] = {}
        """Those that the views may not show, by name."""
        self._alone: dict[str, float] = {}
        """Since when nobody folds a newer version."""
        self._due = 0.0

    def watch(self, follower: Follower) -> None:
        """See that the views show *follower*, once it serves and is the newest."""
        self._watched[follower.name] = follower

    async def look(self) -> None:
        """Look after the views, about once a second."""
        if not self._watched or monotonic() < self._due:
            return
        self._due = monotonic() + _EVERY
        for follower in [*self._watched.values()]:
            if follower.state == "live":
                with translated():
                    await self._look_after(follower)

    async def _look_after(self, follower: Follower) -> None:
        name, now = follower.name, monotonic()
        found = await builds(self._connection, [name])
        own = next((each for each in found if each.id == follower.build.id), None)
        shown = next((each for each in found if each.is_shown), None)
        if own is None or own is shown:
            del self._watched[name]
            self._alone.pop(name, None)
            return
        if outranked(own, found, await folded(self._connection, self._schema, found)):
            self._alone.pop(name, None)
            return
        is_newer = shown is not None and shown.born > own.born
        if is_newer and now - self._alone.setdefault(name, now) < self._seconds:
            return
        with suppress(asyncpg.LockNotAvailableError):  # somebody reads it for long: later
            if await show_again(self._connection, own, self._schema):
                _log.info("read model is shown again", name=name, build=own.build)
