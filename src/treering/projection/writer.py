"""Net changes on their way into one table: a few statements, however many rows there are."""

import asyncio
from collections.abc import AsyncIterator, Generator, Mapping, Sequence
from contextlib import contextmanager
from itertools import batched
from typing import Any, cast

import asyncpg
import msgspec
from sqlalchemy import JSON, Table

from treering.errors import BadRequest
from treering.projection.change import Key, Row, needed
from treering.projection.net import Edits, Fate
from treering.projection.statements import Columns, Statements
from treering.store.connecting import translated

_MOST = 10_000
"""Rows of one statement."""
_SLICE = 500
"""Rows copied before others of this process have their turn."""
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Writer:
    """Writes to *table*, in a transaction that is its caller's."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._statements = Statements(table)
        self._all: Columns = tuple(column.name for column in table.columns)
        self._json = frozenset(
            column.name for column in table.columns if isinstance(column.type, JSON)
        )

    async def write(self, connection: asyncpg.Connection, rows: Mapping[Key, Fate]) -> None:
        """Bring *rows* into the table; raises BadRequest if it can not take a value."""
        with _blaming():
            for keys in batched(rows, _MOST):
                await self._write(connection, {key: rows[key] for key in keys})

    async def _write(self, connection: asyncpg.Connection, rows: Mapping[Key, Fate]) -> None:
        rows = await self._settled(connection, rows)
        removed = [key for key, fate in rows.items() if fate is None]
        edits = [(key, fate) for key, fate in rows.items() if isinstance(fate, Edits)]
        patches = [(key, fate.sets) for key, fate in edits if fate.is_patch and fate.sets]
        counts = [(key, fate.adds) for key, fate in edits if fate.is_increment]
        puts = [cast("Row", fate) for fate in rows.values() if isinstance(fate, dict)]
        if removed:
            await connection.execute(self._statements.text("remove"), *self._keys(removed))
        if patches:
            await self._patch(connection, patches)
        if puts:
            values = [self._values(name, puts) for name in self._all]
            await connection.execute(self._statements.text("put"), *values)
        if counts:
            await self._increment(connection, counts)

    async def copy(self, connection: asyncpg.Connection, rows: Mapping[Key, Fate]) -> None:
        """Bring *rows* into the table, which is empty; raises BadRequest as `write` does."""
        with _blaming():
            await connection.copy_records_to_table(
                self._table.name,
                schema_name=self._table.schema,
                columns=self._all,
                records=self._records(rows),
            )

    async def _records(self, rows: Mapping[Key, Fate]) -> AsyncIterator[tuple[Any, ...]]:
        for some in batched(rows.values(), _SLICE):
            for fate in some:
                row = fate.absent if isinstance(fate, Edits) else fate
                if row is not None:
                    yield tuple([self._value(name, row[name]) for name in self._all])
            await asyncio.sleep(0)

    async def _settled(
        self, connection: asyncpg.Connection, rows: Mapping[Key, Fate]
    ) -> Mapping[Key, Fate]:
        """Return *rows* without edits that no statement can do: their rows are read first."""
        open_: dict[Key, Edits] = {
            key: fate
            for key, fate in rows.items()
            if isinstance(fate, Edits) and not self._can_do(fate)
        }
        if not open_:
            return rows
        keys: list[Key] = list(open_)
        found = await connection.fetch(self._statements.text("read"), *self._keys(keys))
        there: dict[Key, Row] = {keys[record["place?"] - 1]: self.row(record) for record in found}
        return {**rows, **{key: _settled(fate, there.get(key)) for key, fate in open_.items()}}

    def _can_do(self, edits: Edits) -> bool:
        """Say whether one statement does it; an increment may have to make the whole row."""
        return edits.is_patch or (edits.is_increment and needed(self._table) <= edits.adds.keys())

    def row(self, record: asyncpg.Record) -> Row:
        """Return the row of the table that *record* holds."""
        return {
            name: _decode(record[name])
            if name in self._json and record[name] is not None
            else record[name]
            for name in self._all
        }

    async def _patch(
        self, connection: asyncpg.Connection, patches: Sequence[tuple[Key, Row]]
    ) -> None:
        """Set columns; those that not all rows set have a flag for each row."""
        sets = [row for _, row in patches]
        named = tuple(name for name in self._all if any(name in row for row in sets))
        partly = tuple(name for name in named if not all(name in row for row in sets))
        values = [self._values(name, sets) for name in named]
        flags = [[name in row for row in sets] for name in partly]
        keys = self._keys([key for key, _ in patches])
        await connection.execute(
            self._statements.text("patch", named, partly), *keys, *values, *flags
        )

    async def _increment(
        self, connection: asyncpg.Connection, counts: Sequence[tuple[Key, Row]]
    ) -> None:
        adds = [row for _, row in counts]
        named = tuple(name for name in self._all if any(name in row for row in adds))
        values = [self._values(name, adds) for name in named]
        keys = self._keys([key for key, _ in counts])
        await connection.execute(self._statements.text("increment", named), *keys, *values)

    def _keys(self, keys: Sequence[Key]) -> list[list[Any]]:
        return [list(values) for values in zip(*keys, strict=True)]

    def _values(self, name: str, rows: Sequence[Row]) -> list[Any]:
        if name in self._json:
            return [_json(row.get(name)) for row in rows]
        return [row.get(name) for row in rows]

    def _value(self, name: str, value: Any) -> Any:
        return _json(value) if name in self._json else value


def _settled(edits: Edits, row: Row | None) -> Row | None:
    try:
        return edits.of(row)
    except Exception as error:
        raise BadRequest(f"{type(error).__name__}: {error}") from error


@contextmanager
def _blaming() -> Generator[None]:
    """Name what the database, its driver or the codec can not take."""
    try:
        with translated():
            yield
    except (ValueError, TypeError, OverflowError, msgspec.MsgspecError) as error:
        raise BadRequest(f"{type(error).__name__}: {error}") from error


def _json(value: Any) -> str | None:
    return None if value is None else _encode(value).decode()
