"""Who wants which events, so that an event meets only those who may want it.

Equal wishes are one entry. A wish with an equality, or a range of its data, is found by the event's
value, so that thousands which want something else cost an event nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from treering.errors import Refusal
from treering.gateway.live.index import Entries, Index, entry_of
from treering.gateway.live.told import Told
from treering.gateway.live.wish import Wish
from treering.query import Word, reader_of


class Member(Protocol):
    """One who is told."""

    def tell(self, told: Told) -> None:
        """Take in an event; never waits."""
        ...

    def finish(self, why: Refusal) -> None:
        """Take in that no more will be told."""
        ...


class Board:
    """The wishes for events with fields of these *words*."""

    def __init__(self, words: Mapping[str, Word]) -> None:
        self._words = words
        self._indexes: dict[str, Index[Member]] = {}
        self._others: Entries[Member] = {}

    @property
    def size(self) -> int:
        """How many places there are where wishes stand."""
        return len(self._others) + len(self._indexes) + sum(map(len, self._indexes.values()))

    def add(self, wish: Wish, member: Member) -> None:
        """Let *member* be told of what it wants."""
        entry_of(wish, self._places(wish)).members[member] = None

    def remove(self, wish: Wish, member: Member) -> None:
        """Let it be, if it was there."""
        for each in self._places(wish):
            if (entry := each.get(wish.key)) is not None:
                entry.members.pop(member, None)
                if not entry.members:
                    del each[wish.key]
        if wish.place is not None:
            index = self._indexes[wish.place.field]
            index.tidy(wish.place)
            if not index:
                del self._indexes[wish.place.field]

    def tell(self, told: Told) -> None:
        """Tell those who want it."""
        row = told.row
        found = [*self._others.values()]
        for index in self._indexes.values():
            found += index.found(told)
        for entry in found:
            if entry.matches(row):
                for member in [*entry.members]:
                    member.tell(told)

    def _places(self, wish: Wish) -> Sequence[Entries[Member]]:
        if wish.place is None:
            return [self._others]
        field = wish.place.field
        if field not in self._indexes:
            self._indexes[field] = Index(reader_of(field, self._words))
        return [*self._indexes[field].at(wish.place)]
