"""What a batch of changes comes to, row by row, so that each row is written once.

What is known of a row after a batch is either the row itself, or that there is none, whatever stood
there before; or it is edits to what stood there. Both are closed under further changes.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, final

import msgspec
from sqlalchemy import Table

from treering.projection.change import (
    Change,
    Increment,
    Key,
    Patch,
    Row,
    after,
    check,
    plus,
)  # fmt: skip


@final
class Edits(msgspec.Struct, frozen=True):
    """Changes to a row that is not known: values set, numbers added, functions of the old value.

    A column is in at most one of them.
    """

    absent: Row | None
    """What follows if there is no such row."""
    sets: Mapping[str, Any] = {}
    adds: Mapping[str, Any] = {}
    calls: Mapping[str, Any] = {}

    @property
    def is_patch(self) -> bool:
        """Whether it only sets values of a row that may be there."""
        return self.absent is None and not self.adds and not self.calls

    @property
    def is_increment(self) -> bool:
        """Whether it only adds numbers."""
        return self.absent is not None and not self.sets and not self.calls

    def then(self, change: Patch | Increment) -> "Edits":
        """Return these edits followed by *change*."""
        if self.is_patch and type(change) is Patch and not change.calls:
            return Edits(None, {**self.sets, **change.changes})
        sets, adds, called = {**self.sets}, {**self.adds}, {**self.calls}
        for name, value in change.changes.items():
            if type(change) is Increment:
                _add(sets, adds, called, name, value)
            elif callable(value):
                _call(sets, adds, called, name, value)
            else:
                adds.pop(name, None)
                called.pop(name, None)
                sets[name] = value
        return Edits(after(self.absent, change), sets, adds, called)

    def of(self, row: Row | None) -> Row | None:
        """Return what the edits make of *row*."""
        if row is None:
            return self.absent
        return {
            **row,
            **self.sets,
            **{name: plus(row[name], number) for name, number in self.adds.items()},
            **{name: function(row[name]) for name, function in self.calls.items()},
        }


type _Values = dict[str, Any]
type Fate = Row | Edits | None
"""What is known of a row."""


_UNTOUCHED = Edits(None)


class Net:
    """Changes on their way to the database."""

    def __init__(self, changes: Iterable[Change] = ()) -> None:
        self.tables: dict[Table, dict[Key, Fate]] = {}
        self.add(changes)

    def __len__(self) -> int:
        return sum(len(rows) for rows in self.tables.values())

    def add(self, changes: Iterable[Change]) -> None:
        """Take *changes* in, all or, if one can not be (it raises), none."""
        before: list[tuple[dict[Key, Fate], Key, Fate]] = []
        try:
            for change in changes:
                check(change)
                rows = self.tables.get(change.table)
                if rows is None:
                    rows = self.tables[change.table] = {}
                known = rows.get(change.key, _UNTOUCHED)
                before.append((rows, change.key, known))
                rows[change.key] = _fate(known, change)
        except BaseException:
            for rows, key, known in reversed(before):
                rows[key] = known
            raise


def _fate(known: Fate, change: Change) -> Fate:
    if type(known) is not Edits:
        return after(known, change)
    if type(change) is Patch or type(change) is Increment:
        return known.then(change)
    return after(None, change)


def _add(sets: _Values, adds: _Values, calls: _Values, name: str, number: Any) -> None:
    if name in sets:
        sets[name] = plus(sets[name], number)
    elif name in calls:
        calls[name] = partial(_chained, calls[name], partial(_added, number))
    else:
        adds[name] = plus(adds.get(name), number)


def _call(sets: _Values, adds: _Values, calls: _Values, name: str, function: Any) -> None:
    if name in sets:
        sets[name] = function(sets[name])
        return
    earlier = partial(_added, adds.pop(name)) if name in adds else calls.get(name)
    calls[name] = partial(_chained, earlier, function) if earlier else function


def _added(number: Any, old: Any) -> Any:
    return plus(old, number)


def _chained(first: Any, second: Any, old: Any) -> Any:
    return second(first(old))
