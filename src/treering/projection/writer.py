"""Net changes on their way into one table: a few statements, however many rows there are."""

import asyncio
from collections.abc import AsyncIterator, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from itertools import batched
from typing import Any

import asyncpg
import msgspec
from sqlalchemy import JSON, CheckConstraint, Table

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


class _Sorted(msgspec.Struct):
    """Rows by what is to be done to them."""

    removed: list[Key] = []
    puts: list[Row] = []
    patches: list[tuple[Key, Row]] = []
    counts: list[tuple[Key, Row]] = []
    open: dict[Key, Edits] = {}
    """Edits that depend on the row that is there; an increment may have to make a whole one."""


class Writer:
    """Writes to *table*, in a transaction that is its caller's."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._statements = Statements(table)
        self._all: Columns = tuple(column.name for column in table.columns)
        self._counts = not any(isinstance(each, CheckConstraint) for each in table.constraints)
        """Whether a row may be made of summands alone: PostgreSQL checks that before it adds."""
        self._json = frozenset(
            column.name for column in table.columns if isinstance(column.type, JSON)
        )

    async def write(self, connection: asyncpg.Connection, rows: Mapping[Key, Fate]) -> None:
        """Bring *rows* into the table; raises BadRequest if it can not take a value."""
        with _blaming():
            for some in batched(rows.items(), _MOST):
                await self._write(connection, self._sorted(some))

    def _sorted(self, rows: Iterable[tuple[Key, Fate]]) -> "_Sorted":
        """Return *rows* by what is to be done to them."""
        found = _Sorted()
        for key, fate in rows:
            if fate is None:
                found.removed.append(key)
            elif type(fate) is not Edits:
                found.puts.append(fate)
            elif fate.is_patch:
                if fate.sets:
                    found.patches.append((key, fate.sets))
            elif fate.is_increment and self._counts and needed(self._table) <= fate.adds.keys():
                found.counts.append((key, fate.adds))
            else:
                found.open[key] = fate
        return found

    async def _write(self, connection: asyncpg.Connection, rows: "_Sorted") -> None:
        if rows.open:
            await self._settle(connection, rows)
        if rows.removed:
            await connection.execute(self._statements.text("remove"), *self._keys(rows.removed))
        if rows.patches:
            await self._patch(connection, rows.patches)
        if rows.puts:
            values = [self._values(name, rows.puts) for name in self._all]
            await connection.execute(self._statements.text("put"), *values)
        if rows.counts:
            await self._increment(connection, rows.counts)

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
                row = fate.absent if type(fate) is Edits else fate
                if row is not None:
                    yield tuple([self._value(name, row[name]) for name in self._all])
            await asyncio.sleep(0)

    async def _settle(self, connection: asyncpg.Connection, rows: "_Sorted") -> None:
        """Read the rows whose edits no statement can do: after that they are put or removed."""
        keys: list[Key] = list(rows.open)
        found = await connection.fetch(self._statements.text("read"), *self._keys(keys))
        there: dict[Key, Row] = {keys[record["place?"] - 1]: self.row(record) for record in found}
        for key, edits in rows.open.items():
            row = _settled(edits, there.get(key))
            if row is None:
                rows.removed.append(key)
            else:
                rows.puts.append(row)

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
        shapes = {frozenset(shape) for shape in {tuple(row) for row in sets}}
        some, all_ = frozenset[str]().union(*shapes), frozenset(self._all).intersection(*shapes)
        named = tuple(name for name in self._all if name in some)
        partly = tuple(name for name in named if name not in all_)
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
        some = frozenset[str]().union(*{tuple(row) for row in adds})
        named = tuple(name for name in self._all if name in some)
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
