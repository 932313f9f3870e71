"""Who wants which events, so that an event meets only those who may want it.

Equal wishes are one entry. A wish with an equality is found by its value, so that thousands which
want something else cost an event nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from treering.errors import Refusal
from treering.gateway.live.told import Told
from treering.gateway.live.wish import Wish, is_plain, value_key
from treering.query import Row, Word, reader_of


class Member(Protocol):
    """One who is told."""

    def tell(self, told: Told) -> None:
        """Take in an event; never waits."""
        ...

    def finish(self, why: Refusal) -> None:
        """Take in that no more will be told."""
        ...


class _Entry:
    """All who have one wish."""

    __slots__ = ("matches", "members")

    def __init__(self, wish: Wish) -> None:
        self.matches = wish.matches
        self.members: dict[Member, None] = {}


type _Entries = dict[bytes, _Entry]


class _Index:
    """Entries by the value that a field has in what they want."""

    def __init__(self, read: Callable[[Row], Any]) -> None:
        self.read = read
        self.by_value: dict[Any, _Entries] = {}


class Board:
    """The wishes for events with fields of these *words*."""

    def __init__(self, words: Mapping[str, Word]) -> None:
        self._words = words
        self._indexes: dict[str, _Index] = {}
        self._others: _Entries = {}

    @property
    def size(self) -> int:
        """How many places there are where wishes stand."""
        indexed = (len(each.by_value) for each in self._indexes.values())
        return len(self._others) + len(self._indexes) + sum(indexed)

    def add(self, wish: Wish, member: Member) -> None:
        """Let *member* be told of what it wants."""
        places = [*self._places(wish)]
        known = next((each[wish.key] for each in places if wish.key in each), None)
        entry = known or _Entry(wish)
        for each in places:
            each[wish.key] = entry
        entry.members[member] = None

    def remove(self, wish: Wish, member: Member) -> None:
        """Let it be, if it was there."""
        for each in [*self._places(wish)]:
            entry = each.get(wish.key)
            if entry is None:
                continue
            entry.members.pop(member, None)
            if not entry.members:
                del each[wish.key]
        self._tidy(wish)

    def tell(self, told: Told) -> None:
        """Tell those who want it."""
        row = told.row
        for entry in [*self._others.values()]:
            _tell(entry, row, told)
        for index in [*self._indexes.values()]:
            value = index.read(row)
            if is_plain(value):
                for entry in [*index.by_value.get(value_key(value), {}).values()]:
                    _tell(entry, row, told)

    def _places(self, wish: Wish) -> Iterator[_Entries]:
        if wish.field is None:
            yield self._others
            return
        index = self._indexes.get(wish.field)
        if index is None:
            index = self._indexes[wish.field] = _Index(reader_of(wish.field, self._words))
        for value in wish.values:
            yield index.by_value.setdefault(value, {})

    def _tidy(self, wish: Wish) -> None:
        """Forget the values, and the field, that nobody asks for any more."""
        if wish.field is None or (index := self._indexes.get(wish.field)) is None:
            return
        for value in wish.values:
            if not index.by_value.get(value, True):
                del index.by_value[value]
        if not index.by_value:
            del self._indexes[wish.field]


def _tell(entry: _Entry, row: Row, told: Told) -> None:
    if entry.matches(row):
        for member in entry.members:
            member.tell(told)
