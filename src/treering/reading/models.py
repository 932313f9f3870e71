"""What a gateway asks of read models: rows as JSON text, how far they are, and to be told."""

import builtins
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from treering.entity.validation import fault, invalid
from treering.errors import BadRequest, InvalidBody
from treering.message import Position
from treering.projection.declaration import Projection
from treering.projection.status import Status
from treering.query import Grouping, QueryOptions, Shape
from treering.reading.aggregating import counted, facets, groups
from treering.reading.answers import Found, Listing, stretched
from treering.reading.cache import Cache
from treering.reading.estimating import expected, rows_of
from treering.reading.exporting import Form
from treering.reading.fetching import Fetching, Rows, every
from treering.reading.progress import Progress
from treering.reading.replicas import Replicas
from treering.reading.selecting import some, stretch
from treering.reading.waiting import has_waited
from treering.store import Reader

_ALL = QueryOptions()


class ReadModels:
    """Reads *projections*, each in the version that is declared here: one statement a read.

    It opens what it needs when it is first asked to wait; `close` gives that back. *rows* is asked
    for each question which rows of a read model may be seen at all, and what it says is part of
    the statement, whatever is read: one row, lists, counts, groups, values, files.

        ReadModels(reader, projections, rows=lambda name: [FilterSpec("owner", "eq", person.get())])

    *replicas*, which whoever opened them closes, are asked before *reader* is.
    What no index serves is refused where PostgreSQL's planner expects it to *cost* more.
    """

    def __init__(
        self,
        reader: Reader,
        projections: Sequence[Projection],
        *,
        rows: Rows = every,
        cache: Cache | None = None,
        cost: float | None = None,
        replicas: Replicas | None = None,
    ) -> None:
        self._progress = Progress(reader, projections)
        self._fetching = Fetching(
            reader,
            projections,
            self._progress,
            rows=rows,
            cache=cache,
            cost=cost,
            replicas=replicas,
        )

    def announce(self) -> None:
        """Say, as long as this is open, that somebody needs these versions: none is pruned."""
        self._progress.announce()

    async def close(self) -> None:
        """Give back what waiting has opened."""
        await self._progress.close()
        await self._fetching.close()

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
        try:
            return await self._fetching.row(name, id, fields, include_deleted=include_deleted)
        except BadRequest:
            return None

    def mark(self, name: str) -> str:
        """Return what tells the build that is read from others, which may show other rows."""
        return self._progress.mark(name)

    def shape(self, name: str) -> Shape:
        """Return what can be asked of a read model."""
        return self._fetching.shape(name)

    async def list(self, name: str, asked: QueryOptions = _ALL) -> Listing:
        """Return the rows that are *asked* for; all, in the order of their ids, unless said."""
        found = await self._listed(name, asked)
        if asked.count == "planned":
            found = replace(found, total=await self._estimated(name, asked, found))
        return replace(found, mark=self.mark(name))

    async def _listed(self, name: str, asked: QueryOptions) -> Listing:
        if asked.cursor is None:
            (row,) = await self._fetching.rows(name, some, asked)
            return Listing(**row)
        try:
            (row,) = await self._fetching.rows(name, stretch, asked)
        except BadRequest as error:
            raise _no_place() from error
        return stretched(row, asked.cursor)

    async def _estimated(self, name: str, asked: QueryOptions, found: Listing) -> int:
        """Return about how many rows match: no fewer than are known, and no guess at the end."""
        if asked.cursor is not None:
            return max(found.rows, await self.total(name, asked))
        known = asked.offset + found.rows
        is_end = asked.limit is None or found.rows < asked.limit
        if is_end and (found.rows or not asked.offset):
            return known
        choose = min if is_end else max
        return choose(known, await self.total(name, asked))

    async def total(self, name: str, asked: QueryOptions = _ALL) -> int:
        """Return how many rows match, or about how many if the count may be planned."""
        if asked.count == "planned":
            ((plan,),) = await self._fetching.rows(name, expected, asked)
            return rows_of(plan)
        ((total,),) = await self._fetching.rows(name, counted, asked)
        return total

    async def groups(self, name: str, asked: QueryOptions, grouping: Grouping) -> str:
        """Return figures of the rows that match, a group each, as the JSON text of an array."""
        make = partial(groups, grouping=grouping)
        ((items,),) = await self._fetching.rows(name, make, asked, grouping)
        return items

    async def facets(self, name: str, asked: QueryOptions, fields: Sequence[str]) -> str:
        """Return how often each value of *fields* is among the rows that match, as JSON text."""
        make = partial(facets, fields=fields)
        ((found,),) = await self._fetching.rows(name, make, asked, tuple(fields))
        return found

    async def export(self, name: str, asked: QueryOptions, form: Form) -> AsyncGenerator[bytes]:
        """Yield all rows that match, as one file; memory does not grow with their number."""
        async with aclosing(self._fetching.poured(name, asked, form)) as pieces:
            async for piece in pieces:
                yield piece

    async def wait(self, name: str, position: Position, timeout: float) -> bool:
        """Say whether the read model shows all events up to *position*, as soon as it does.

        False at once when it is stopped, and after *timeout* seconds. What the task that has
        waited reads after that is no older, even from a replica.
        """
        if not await self._progress.wait(name, position, timeout):
            return False
        has_waited(name, position)
        return True

    def keeps(self, name: str) -> bool:
        """Say whether answers are kept now: there is a cache, and it is heard when rows change."""
        return self._fetching.keeps(name)

    def take_unserved(self) -> Mapping[str, Mapping[str, int]]:
        """Return how often fields were asked for that no index serves, since this was asked last.

        By read model and field, with the operator where no ordered index would ever serve it.
        """
        return self._fetching.guard.take()

    async def check(self, name: str) -> None:
        """Raise ReadModelAway, or StoreNotReady, if the read model can not be read at all."""
        await self._progress.build(name)

    async def status(self) -> builtins.list[Status]:
        """Return how far each read model is."""
        return await self._progress.status()

    async def all(self) -> builtins.list[Status]:
        """Return how far each build is that there is, of any version and any read model."""
        return await self._progress.all()


def _no_place() -> InvalidBody:
    word = "Is no cursor that an answer has given"
    return invalid([fault(("query", "cursor"), "wrong_parameter", word)])
