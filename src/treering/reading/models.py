"""What a gateway asks of read models: rows as JSON text, how far they are, and to be told."""

import builtins
from collections.abc import AsyncGenerator, Callable, Hashable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import asyncpg
import msgspec

from treering.entity.validation import fault, invalid
from treering.errors import BadRequest, DeclarationError, InvalidBody, StoreNotReady
from treering.message import Position
from treering.projection.build import Build, schema_for, tables_of
from treering.projection.declaration import Projection
from treering.projection.status import Status
from treering.query import Cursor, Grouping, QueryOptions, Shape
from treering.reading.aggregating import counted, facets, groups
from treering.reading.estimating import expected, rows_of
from treering.reading.exporting import Form, exported, poured
from treering.reading.progress import Progress
from treering.reading.selecting import (
    Source,
    Statement,
    chosen,
    some,
    stretch,
    structure,
    values,
)  # fmt: skip
from treering.reading.together import Together
from treering.sql import statement
from treering.store import Reader

_ALL = QueryOptions()
_KEPT = 500
"""Statements, of which clients make as many as there are ways to ask."""


@dataclass(frozen=True, slots=True)
class Found:
    """One row."""

    text: str
    """The JSON text of an object."""
    version: int | None
    """Of the entity, where the row is one."""
    mark: str = field(compare=False)
    """Which build the row is of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of rows."""

    items: str
    """The JSON text of an array."""
    total: int | None
    """Rows there are on all pages, if they were to be counted."""
    rows: int = 0
    """Rows there are here."""
    position: Position = 0
    """Up to which event they are folded."""
    mark: str = field(default="", compare=False)
    """Which build the rows are of."""
    next: Cursor | None = None
    """Where the rows after these begin, of those that were asked for by a cursor."""
    previous: Cursor | None = None
    """Where the rows before these begin, backwards."""


class ReadModels:
    """Reads *projections*, each in the version that is declared here: one statement a read.

    It opens what it needs when it is first asked to wait; `close` gives that back.
    """

    def __init__(self, reader: Reader, projections: Sequence[Projection]) -> None:
        self._reader = reader
        self._schema = schema_for(reader.namespace)
        self._projections = {each.name: each for each in projections}
        self._progress = Progress(reader, projections)
        self._made: dict[tuple[str, int, Hashable], Statement] = {}
        self._together: dict[tuple[str, Hashable], Together[Found]] = {}
        self._folding: str | None = None

    def announce(self) -> None:
        """Say, as long as this is open, that somebody needs these versions: none is pruned."""
        self._progress.announce()

    async def close(self) -> None:
        """Give back what waiting has opened."""
        await self._progress.close()

    async def get(
        self,
        name: str,
        id: str,
        *,
        fields: Sequence[str] | None = None,
        include_deleted: bool = False,
    ) -> Found | None:
        """Return the row with that id, None if there is none.

        Raises StoreNotReady while no projector has made the read model's tables.
        """
        key = "chosen", include_deleted, fields and tuple(fields)
        found = self._found(
            name, key, partial(chosen, include_deleted=include_deleted, fields=fields)
        )
        try:
            return await found.get(id)
        except BadRequest:
            return None

    def _found(
        self, name: str, key: Hashable, make: Callable[[Source], Statement]
    ) -> Together[Found]:
        """Return what finds rows by their ids."""
        if (known := self._together.get((name, key))) is not None:
            return known

        async def find(ids: Sequence[str]) -> Mapping[str, Found]:
            rows = await self._ask(name, make, key, {"keys": ids})
            mark = self.mark(name)
            return {row["key"]: Found(row["text"], row["version"], mark) for row in rows}

        if len(self._together) >= _KEPT:
            self._together.clear()
        found = self._together[name, key] = Together(find)
        return found

    def mark(self, name: str) -> str:
        """Return what tells the build that is read from others, which may show other rows."""
        return self._progress.mark(name)

    def shape(self, name: str) -> Shape:
        """Return what can be asked of a read model."""
        if name not in self._projections:
            raise DeclarationError(f"There is no read model {name!r}.")
        return self._projections[name].shape

    async def list(self, name: str, asked: QueryOptions = _ALL) -> Listing:
        """Return the rows that are *asked* for; all, in the order of their ids, unless said."""
        found = await self._listed(name, asked)
        if asked.count == "planned":
            found = replace(found, total=await self._estimated(name, asked, found))
        return replace(found, mark=self.mark(name))

    async def _listed(self, name: str, asked: QueryOptions) -> Listing:
        if asked.cursor is None:
            (row,) = await self._asked(name, some, asked)
            return Listing(**row)
        try:
            (row,) = await self._asked(name, stretch, asked)
        except BadRequest as error:
            raise _no_place() from error
        return _stretch(row, asked.cursor)

    async def _estimated(self, name: str, asked: QueryOptions, found: Listing) -> int:
        """Return about how many rows match: no fewer than are known, and no guess at the end."""
        if asked.cursor is not None:
            return await self.total(name, asked)
        known = asked.offset + found.rows
        is_end = asked.limit is None or found.rows < asked.limit
        if is_end and (found.rows or not asked.offset):
            return known
        choose = min if is_end else max
        return choose(known, await self.total(name, asked))

    async def total(self, name: str, asked: QueryOptions = _ALL) -> int:
        """Return how many rows match, or about how many if the count may be planned."""
        if asked.count == "planned":
            ((plan,),) = await self._asked(name, expected, asked)
            return rows_of(plan)
        ((total,),) = await self._asked(name, counted, asked)
        return total

    async def groups(self, name: str, asked: QueryOptions, grouping: Grouping) -> str:
        """Return figures of the rows that match, a group each, as the JSON text of an array."""
        make = partial(groups, grouping=grouping)
        ((items,),) = await self._asked(name, make, asked, grouping)
        return items

    async def facets(self, name: str, asked: QueryOptions, fields: Sequence[str]) -> str:
        """Return how often each value of *fields* is among the rows that match, as JSON text."""
        make = partial(facets, fields=fields)
        ((found,),) = await self._asked(name, make, asked, tuple(fields))
        return found

    async def export(self, name: str, asked: QueryOptions, form: Form) -> AsyncGenerator[bytes]:
        """Yield all rows that match, as one file; memory does not grow with their number."""
        said = values(asked, self.shape(name).words)
        source = await self._source(await self._progress.build(name))
        made = exported(source, asked, form=form)
        wanted = [said[each] for each in made.names]
        async with aclosing(poured(self._reader.url, made, wanted, form)) as pieces:
            async for piece in pieces:
                yield piece

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

    async def _asked(
        self,
        name: str,
        make: Callable[[Source, QueryOptions], Statement],
        asked: QueryOptions,
        more: Hashable = None,
    ) -> builtins.list[Any]:
        """Ask for what matches; the statement depends on *more* than what is asked for."""
        said = values(asked, self.shape(name).words)
        key = getattr(make, "func", make), structure(asked), more
        return await self._ask(name, lambda source: make(source, asked), key, said)

    async def _ask(
        self,
        name: str,
        make: Callable[[Source], Statement],
        key: Hashable,
        said: Mapping[str, Any],
    ) -> builtins.list[Any]:
        """Ask the build that is current; once more if it was replaced at this moment."""
        build = await self._progress.build(name)
        try:
            return await self._fetch(build, make, key, said)
        except StoreNotReady as error:
            if not isinstance(error.__cause__, asyncpg.UndefinedTableError):
                raise
        build = await self._progress.build(name, again=True)
        return await self._fetch(build, make, key, said)

    async def _fetch(
        self,
        build: Build,
        make: Callable[[Source], Statement],
        key: Hashable,
        said: Mapping[str, Any],
    ) -> builtins.list[Any]:
        all_ = build.name, build.build, key
        if all_ not in self._made:
            if len(self._made) >= _KEPT:
                self._made.clear()
            self._made[all_] = make(await self._source(build))
        made = self._made[all_]
        return await self._reader.fetch(made.sql, *(said[name] for name in made.names))

    async def _source(self, build: Build) -> Source:
        """Return what statements about *build* are made of."""
        projection = self._projections[build.name]
        table = tables_of(projection, build, self._schema)[projection.tables[0]]
        folding = self._folding or await self._known_folding()
        return Source(table, projection.shape, folding, build)

    async def _known_folding(self) -> str:
        """Return the collation that small letters are found with; it is looked up once."""
        ((found,),) = await self._reader.fetch(statement("folding"))
        self._folding = str(found)
        return self._folding


def _no_place() -> InvalidBody:
    word = "Is no cursor that an answer has given"
    return invalid([fault(("query", "cursor"), "wrong_parameter", word)])


def _stretch(row: Any, cursor: Cursor) -> Listing:
    """Return the rows that were found, and how to go on from both of their ends."""
    places = [tuple(msgspec.json.decode(place)) for place in row["places"] or ()]
    if not places:
        return Listing(items=row["items"], total=row["total"], position=row["position"])
    before = Cursor(place=places[0], is_backwards=True)
    after = Cursor(place=places[-1])
    has_before, has_after = bool(cursor.place), row["is_more"]
    if cursor.is_backwards:
        has_before, has_after = has_after, has_before
    return Listing(
        items=row["items"],
        total=row["total"],
        position=row["position"],
        next=after if has_after else None,
        previous=before if has_before else None,
    )
