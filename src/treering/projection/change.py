"""What a fold says of rows: put, patch, increment, remove; and what each does to one row."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, cast, final

import msgspec
from sqlalchemy import Table

from treering.errors import DeclarationError

type Row = Mapping[str, Any]
"""Values by column; a column that is not named is None."""
type Key = tuple[Any, ...]
"""The values of a table's primary key, in its order."""
type Says = Any | Mapping[str, Any]
"""A key as a fold says it: the value of the only key column, or values by column."""
type Rows = Mapping[Key, Row]
type Tables = Mapping[str, Rows]


@final
class Put(msgspec.Struct, frozen=True, gc=False):
    """The row is this one."""

    table: Table
    key: Key
    row: Row


@final
class Patch(msgspec.Struct, frozen=True, gc=False):
    """These columns of the row, if there is one, have new values."""

    table: Table
    key: Key
    changes: Row
    calls: bool = False
    """Whether a value is a function of the old one."""


@final
class Increment(msgspec.Struct, frozen=True, gc=False):
    """These numbers are added to the row; if there is none they make one."""

    table: Table
    key: Key
    changes: Mapping[str, Any]


@final
class Remove(msgspec.Struct, frozen=True, gc=False):
    """There is no such row."""

    table: Table
    key: Key


type Change = Put | Patch | Increment | Remove


def put(table: Table, row: Row) -> Change:
    """Have exactly *row*, whatever stood under its key; columns not named are None."""
    return Put(table, _key(table, row), row)


def patch(table: Table, key: Says, changes: Row) -> Change:
    """Give columns new values; nothing happens if there is no such row.

    A value that is a function is given the old value and returns the new one:
    `patch(trips, id, {"stops": lambda stops: [*stops, stop]})`. It must be pure.
    """
    return Patch(table, _key(table, key), changes, any(map(callable, changes.values())))


def increment(table: Table, key: Says, changes: Mapping[str, Any]) -> Change:
    """Add numbers to columns; a missing row, and None, count from 0."""
    return Increment(table, _key(table, key), changes)


def remove(table: Table, key: Says) -> Change:
    """Have no such row."""
    return Remove(table, _key(table, key))


@cache
def key_columns(table: Table) -> tuple[str, ...]:
    """Return the names of the primary key's columns, in its order."""
    return tuple(column.name for column in table.primary_key.columns)


@cache
def blank(table: Table) -> Row:
    """Return a row of *table* in which nothing was said."""
    return dict.fromkeys(column.name for column in table.columns)


@cache
def _columns(table: Table) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of all columns, and of those of the primary key."""
    return frozenset(column.name for column in table.columns), frozenset(key_columns(table))


@cache
def needed(table: Table) -> frozenset[str]:
    """Return the columns beside the key that are never empty."""
    key = key_columns(table)
    return frozenset(
        column.name for column in table.columns if not column.nullable and column.name not in key
    )


def after(row: Row | None, change: Change) -> Row | None:
    """Return what *change* makes of *row*; None is a row that is not there."""
    if type(change) is Put:
        return {**blank(change.table), **change.row}
    if type(change) is Remove:
        return None
    if type(change) is Increment:
        start = made(change.table, change.key) if row is None else row
        return {**start, **{name: plus(start[name], n) for name, n in change.changes.items()}}
    if row is None:
        return None
    if not change.calls:
        return {**row, **change.changes}
    return {**row, **{name: _valued(value, row[name]) for name, value in change.changes.items()}}


def made(table: Table, key: Key) -> Row:
    """Return the row that an increment begins with."""
    return {**blank(table), **dict(zip(key_columns(table), key, strict=True))}


def plus(old: Any, number: Any) -> Any:
    """Return *old*, None being 0, and *number* together."""
    return number if old is None else old + number


def _valued(value: Any, old: Any) -> Any:
    return value(old) if callable(value) else value


def apply(changes: Iterable[Change], tables: Tables) -> dict[str, dict[Key, Row]]:
    """Return *tables*, rows by table and key, after *changes*, one by one.

    Raises DeclarationError where the database would not take a row.
    """
    found = {name: dict(rows) for name, rows in tables.items()}
    for change in changes:
        check(change)
        rows = found.setdefault(change.table.name, {})
        row = after(rows.pop(change.key, None), change)
        if row is not None:
            if lacking := [name for name in needed(change.table) if row[name] is None]:
                raise DeclarationError(
                    f"{change.table.name}.{min(lacking)} is never empty, and the row has no value "
                    "for it: say one, or make the column nullable."
                )
            rows[change.key] = row
    return found


def check(change: Change) -> None:
    """Raise DeclarationError if *change* names a column that its table has not."""
    if type(change) is Remove:
        return
    named = change.row if type(change) is Put else change.changes
    known, key = _columns(change.table)
    if not known.issuperset(named):
        unknown = sorted(named.keys() - known)
        raise DeclarationError(f"{change.table.name} has no column {unknown[0]!r}.")
    if type(change) is not Put and not key.isdisjoint(named):
        raise DeclarationError(f"{change.table.name}: a key never changes; remove and put the row.")


def _key(table: Table, said: Says) -> Key:
    names = key_columns(table)
    if isinstance(said, str) or not isinstance(said, Mapping):
        values: Key = (said,)
    elif missing := [name for name in names if name not in said]:
        raise DeclarationError(f"{table.name}: the key lacks {missing[0]!r}.")
    else:
        values = tuple([cast("Row", said)[name] for name in names])
    if len(values) != len(names):
        raise DeclarationError(f"{table.name} has the key {', '.join(names)}: say all of it.")
    return values
