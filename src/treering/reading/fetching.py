"""From a question to PostgreSQL's answer: the build, the statement for it, and the rows."""

from collections.abc import AsyncGenerator, Callable, Hashable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import asyncpg
from sqlalchemy import String

from treering.errors import (
    DeclarationError,
    StoreError,
    StoreNotReady,
    StoreUnavailable,
    TookTooLong,
)  # fmt: skip
from treering.projection.build import Build, schema_for, tables_of
from treering.projection.declaration import Projection
from treering.query import Filter, QueryOptions, Shape
from treering.reading.answers import Found
from treering.reading.cache import Answers, Cache, Row
from treering.reading.conditions import said as values_said
from treering.reading.estimating import expected
from treering.reading.exporting import Form, exported, poured
from treering.reading.guarding import Ask, Guard, asks_of, too_slow
from treering.reading.progress import Progress
from treering.reading.replicas import Replicas
from treering.reading.selecting import Source, Statement, chosen, structure, values
from treering.reading.together import Together
from treering.reading.waiting import waited_for
from treering.sql import statement
from treering.store import Reader

type Rows = Callable[[str], Sequence[Filter]]
"""From a read model's name to conditions on its rows that hold whatever else is asked."""
type Make = Callable[[Source, QueryOptions], Statement]

_KEPT = 500
"""Statements, of which clients make as many as there are ways to ask."""


_LIGHT = (chosen, expected)
"""What is cheap whatever the conditions are."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A statement that is kept, and what it asks that may be costly."""

    statement: Statement
    asks: Sequence[Ask]


def every(_name: str) -> Sequence[Filter]:
    """Allow all rows to be seen."""
    return ()


class Fetching:
    """Asks the builds of *projections* that are current, of the *rows* that may be seen."""

    def __init__(  # noqa: PLR0913 - the parts of reading, put together once
        self,
        reader: Reader,
        projections: Sequence[Projection],
        progress: Progress,
        *,
        rows: Rows,
        cache: Cache | None = None,
        cost: float | None = None,
        replicas: Replicas | None = None,
    ) -> None:
        self._reader = reader
        self._schema = schema_for(reader.namespace)
        self._projections = {each.name: each for each in projections}
        self._progress = progress
        self._rows = rows
        self._replicas = replicas
        self._answers = Answers(cache, progress, projections) if cache else None
        self._made: dict[tuple[str, int, Hashable], _Made] = {}
        self.guard = Guard(reader.fetch, self._schema, cost)
        self._together: dict[Hashable, Together[Found]] = {}
        self._folding: str | None = None

    async def close(self) -> None:
        """Forget what is kept."""
        if self._answers is not None:
            await self._answers.close()

    def keeps(self, name: str) -> bool:
        """Say whether answers are kept now: there is a cache, and it is heard when rows change."""
        return self._answers is not None and self._progress.hears(name)

    def shape(self, name: str) -> Shape:
        """Return what can be asked of a read model."""
        if name not in self._projections:
            raise DeclarationError(f"There is no read model {name!r}.")
        return self._projections[name].shape

    async def row(
        self, name: str, id: str, fields: Sequence[str] | None, *, include_deleted: bool
    ) -> Found | None:
        """Return the row with that id, None if there is none."""
        seen = self._rows(name)
        asked = QueryOptions(filters=seen, fields=fields, include_deleted=include_deleted)
        if self._answers is None:
            return await self._row(name, id, asked)

        async def ask() -> list[Any]:
            found = await self._row(name, id, asked)
            return [] if found is None else [Row({"text": found.text, "version": found.version})]

        build = await self._progress.build(name)
        said = values_said(asked.filters, self.shape(name).words)
        question = "row", id, structure(asked), said
        rows = await self._answers.rows(build, question, self._key(name, id), ask)
        mark = self._progress.mark(name)
        return next((Found(text, version, mark) for text, version in rows), None)

    def _key(self, name: str, id: str) -> str | None:
        """Return *id* if it is the key of the row as it stands, and not only reads the same."""
        (column, *_) = self._projections[name].tables[0].primary_key.columns
        return id if isinstance(column.type, String) else None

    async def _row(self, name: str, id: str, asked: QueryOptions) -> Found | None:
        """Find a row; what many ask for at once together, unless a rule says who may see what."""
        at = self._reader if self._replicas is None else await self._place(name)
        if asked.filters:
            return (await self._chosen(name, asked, at, [id])).get(id)
        key = name, asked.include_deleted, asked.fields and tuple(asked.fields), at
        if (together := self._together.get(key)) is None:
            if len(self._together) >= _KEPT:
                self._together.clear()
            together = self._together[key] = Together(partial(self._chosen, name, asked, at))
        return await together.get(id)

    async def _chosen(
        self, name: str, asked: QueryOptions, at: Reader, ids: Sequence[str]
    ) -> Mapping[str, Found]:
        said = {"keys": ids, **values_said(asked.filters, self.shape(name).words)}
        rows = await self._ask(name, chosen, asked, (chosen, structure(asked)), said, at)
        mark = self._progress.mark(name)
        return {row["key"]: Found(row["text"], row["version"], mark) for row in rows}

    async def rows(
        self, name: str, make: Make, asked: QueryOptions, more: Hashable = None
    ) -> list[Any]:
        """Return what *make*'s statement finds; it depends on *more* than what is asked."""
        asked = self._seen(name, asked)
        key = getattr(make, "func", make), structure(asked), more
        said = values(asked, self.shape(name).words)
        ask = partial(self._ask, name, make, asked, key, said)
        if self._answers is None:
            return await ask()
        question = key[0].__name__, structure(asked), more, said
        return await self._answers.rows(await self._progress.build(name), question, None, ask)

    async def _ask(
        self,
        name: str,
        make: Make,
        asked: QueryOptions,
        key: Hashable,
        said: Mapping[str, Any],
        at: Reader | None = None,
    ) -> list[Any]:
        """Ask the build that is current; once more if it was replaced at this moment.

        *at* is who is asked: chosen here unless given. The primary is, where a replica fails.
        """
        if at is None:
            at = self._reader if self._replicas is None else await self._place(name)
        build = await self._progress.build(name)
        try:
            return await self._fetch(build, make, asked, key, said, at)
        except TookTooLong:
            raise
        except (StoreNotReady, StoreUnavailable) as error:
            if at is not self._reader:
                self._left_out(at, error)
            elif not isinstance(error.__cause__, asyncpg.UndefinedTableError):
                raise
            else:
                build = await self._progress.build(name, again=True)
        return await self._fetch(build, make, asked, key, said, self._reader)

    def _left_out(self, at: Reader, error: StoreError) -> None:
        """Take note of a replica that failed; one that lacks a table is only behind."""
        if self._replicas and not isinstance(error.__cause__, asyncpg.UndefinedTableError):
            self._replicas.leave_out(at)

    async def _place(self, name: str) -> Reader:
        """Return who is asked: a replica that is as far as has been waited for, or the primary.

        An answer that is to be kept is of where the read model is known to be, and none is of a
        build that is on its way there and was taken up here.
        """
        if self._replicas is None:
            return self._reader
        build, needed = await self._progress.build(name), waited_for(name)
        standing = self._progress.standing(build, None) if self._answers else None
        position = max(needed, build.position, standing.position if standing else 0)
        return await self._replicas.reader(build, position, waits=needed >= position)

    async def poured(self, name: str, asked: QueryOptions, form: Form) -> AsyncGenerator[bytes]:
        """Yield all rows that match, as one file."""
        asked = self._seen(name, asked)
        said = values(asked, self.shape(name).words)
        source = await self._source(await self._progress.build(name))
        made = exported(source, asked, form=form)
        wanted = [said[each] for each in made.names]
        url = (await self._place(name)).url
        async with aclosing(poured(url, made, wanted, form)) as pieces:
            async for piece in pieces:
                yield piece

    def _seen(self, name: str, asked: QueryOptions) -> QueryOptions:
        """Return what is asked, of the rows that may be seen."""
        rules = self._rows(name)
        return replace(asked, filters=(*rules, *asked.filters)) if rules else asked

    async def _fetch(
        self,
        build: Build,
        make: Make,
        asked: QueryOptions,
        key: Hashable,
        said: Mapping[str, Any],
        at: Reader,
    ) -> list[Any]:
        all_ = build.name, build.build, key
        if (made := self._made.get(all_)) is None:
            if len(self._made) >= _KEPT:
                self._made.clear()
            asks = () if make in _LIGHT else asks_of(asked)
            made = self._made[all_] = _Made(make(await self._source(build), asked), asks)
        wanted = [said[name] for name in made.statement.names]
        try:
            if made.asks:
                await self.guard.check(build, made.asks, all_, made.statement, wanted)
            return await at.fetch(made.statement.sql, *wanted)
        except TookTooLong as error:
            raise too_slow(build.name, made.asks) from error

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
