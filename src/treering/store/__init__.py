"""The store: every change of every entity, in one order, for ever; only it decides."""

from collections.abc import Sequence
from typing import Self

import asyncpg
import structlog

from treering.errors import StoreError, StoreNotReady, StoreUnavailable
from treering.rulebook import Words
from treering.store.committer import Committer
from treering.store.connecting import PoolOptions
from treering.store.reader import Head, Invariant, Reader
from treering.store.request import (
    Answer,
    Appended,
    Entry,
    Hindered,
    Key,
    Origin,
    Request,
    Ruling,
    Stand,
    Trouble,
)  # fmt: skip
from treering.store.rules import require_same, stored_rules
from treering.store.statistics import Statistics

__all__ = [
    "Answer", "Appended", "Entry", "Head", "Hindered", "Invariant", "Key", "Origin", "PoolOptions",
    "Reader", "Request", "Ruling", "Stand", "Statistics", "Store", "Trouble",
]  # fmt: skip

_log = structlog.stdlib.get_logger(__name__)


class Store(Reader):
    """A reader that may append."""

    def __init__(self, url: str, namespace: str, pool: asyncpg.Pool) -> None:
        super().__init__(url, namespace, pool)
        self._committer = Committer(url, namespace)

    async def begin(self, *, unsafe_durability: bool = False) -> None:
        """Make ready to append, after making sure that "accepted" will mean durable.

        Raises StoreNotReady if the database may lose what it has acknowledged, unless
        *unsafe_durability* allows that.
        """
        if not unsafe_durability:
            await self._check_durability()
        try:
            await self.keep_verdicts()
        except StoreUnavailable as error:
            _log.warning("Verdicts were not swept; trying again later", reason=str(error))
        await self._committer.start()

    async def __aenter__(self) -> Self:
        """Make ready to append."""
        try:
            await self.begin()
        except StoreError:
            await self.close()
            raise
        return await super().__aenter__()

    async def obey(self, rules: Words) -> None:
        """Append by these *rules* from now on, and only while they are those that are stored.

        Raises StoreNotReady if they are not; so does every append once they are no longer.
        """
        require_same(self.namespace, rules, await stored_rules(self.fetch))
        self._committer.obey(rules)

    @property
    def statistics(self) -> Statistics:
        """What the committer has done so far."""
        return self._committer.statistics

    async def append(self, request: Request) -> Answer:
        """Append *request*, all or none; see `Committer.append`."""
        return await self._committer.append(request)

    async def append_all(self, requests: Sequence[Request]) -> list[Answer | StoreError]:
        """Append each of *requests*; see `Committer.append_all`."""
        return await self._committer.append_all(requests)

    async def keep_verdicts(self, days: int = 30) -> None:
        """Make room for the verdicts of the days to come and drop those older than *days*.

        Raises StoreUnavailable when somebody reads verdicts for long, as a backup does; appends
        go on, and another call does what was left.
        """
        await self.fetch("select make_verdict_days()")
        await self.fetch("select move_horizon(make_interval(days => $1))", days)
        dropped = True
        while dropped:
            (row,) = await self.fetch("select drop_verdicts(make_interval(days => $1))", days)
            dropped = row["drop_verdicts"]

    async def close(self) -> None:
        """Finish what waits to be appended, then close."""
        try:
            await self._committer.stop()
        finally:
            await super().close()

    async def _check_durability(self) -> None:
        names = ["fsync", "full_page_writes", "synchronous_commit"]
        rows = await self.fetch("select name, setting from pg_settings where name = any($1)", names)
        if off := sorted(row["name"] for row in rows if row["setting"] in ("off", "local")):
            raise StoreNotReady(
                f"PostgreSQL runs with {', '.join(off)} off and may lose what it has acknowledged; "
                "turn it on, or set TREERING_UNSAFE_DURABILITY=true if that is meant."
            )
