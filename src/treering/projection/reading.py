"""What a gateway asks of read models: rows as JSON text, how far they are, and to be told."""

import builtins
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import asyncpg

from treering.errors import BadRequest, StoreNotReady
from treering.message import Position
from treering.projection.build import Build, schema_for, tables_of
from treering.projection.declaration import Projection
from treering.projection.progress import Progress
from treering.projection.showing import one, some
from treering.projection.status import Status
from treering.store import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of rows."""

    items: str
    """The JSON text of an array."""
    total: int
    """Rows there are on all pages."""


class ReadModels:
    """Reads *projections*, each in the version that is declared here: one statement a read.

    It opens what it needs when it is first asked to wait; `close` gives that back.
    """

    def __init__(self, reader: Reader, projections: Sequence[Projection]) -> None:
        self._reader = reader
        self._schema = schema_for(reader.namespace)
        self._projections = {each.name: each for each in projections}
        self._progress = Progress(reader, projections)
        self._made: dict[tuple[str, int, _Asked], str] = {}

    def announce(self) -> None:
        """Say, as long as this is open, that somebody needs these versions: none is pruned."""
        self._progress.announce()

    async def close(self) -> None:
        """Give back what waiting has opened."""
        await self._progress.close()

    async def get(self, name: str, id: str, *, include_deleted: bool = False) -> str | None:
        """Return the row with that id as JSON text, None if there is none.

        Raises StoreNotReady while no projector has made the read model's tables.
        """
        try:
            rows = await self._ask(name, _Asked("one", include_deleted), id)
        except BadRequest:
            return None
        return rows[0][0] if rows else None

    async def list(
        self,
        name: str,
        *,
        page: int | None = None,
        size: int | None = None,
        include_deleted: bool = False,
    ) -> Listing:
        """Return rows in the order of their ids: all, or those of a page, counted from 1."""
        passed = (page - 1) * size if page and size else 0
        asked = _Asked("some", include_deleted)
        ((items, total),) = await self._ask(name, asked, size, passed)
        return Listing(items=items, total=total)

    async def wait(self, name: str, position: Position, timeout: float) -> bool:
        """Say whether the read model shows all events up to *position*, as soon as it does.

        False at once when it is stopped, and after *timeout* seconds.
        """
        return await self._progress.wait(name, position, timeout)

    async def check(self, name: str) -> None:
        """Raise ReadModelAway, or StoreNotReady, if the read model can not be read at all."""
        await self._progress.build(name)

    async def status(self) -> builtins.list[Status]:
        """Return how far each read model is."""
        return await self._progress.status()

    async def all(self) -> builtins.list[Status]:
        """Return how far each build is that there is, of any version and any read model."""
        return await self._progress.all()

    async def _ask(self, name: str, asked: "_Asked", *values: Any) -> builtins.list[Any]:
        """Ask the build that is current; once more if it was replaced at this moment."""
        build = await self._progress.build(name)
        try:
            return await self._reader.fetch(self._sql(build, asked), *values)
        except StoreNotReady as error:
            if not isinstance(error.__cause__, asyncpg.UndefinedTableError):
                raise
        build = await self._progress.build(name, again=True)
        return await self._reader.fetch(self._sql(build, asked), *values)

    def _sql(self, build: Build, asked: "_Asked") -> str:
        key = build.name, build.build, asked
        if key not in self._made:
            projection = self._projections[build.name]
            table = tables_of(projection, build, self._schema)[projection.tables[0]]
            make = one if asked.form == "one" else some
            self._made[key] = make(table, include_deleted=asked.include_deleted)
        return self._made[key]


class _Asked(NamedTuple):
    """Which statement."""

    form: Literal["one", "some"]
    include_deleted: bool
