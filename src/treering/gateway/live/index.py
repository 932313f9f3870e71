"""Wishes by what they say of one field: equal ones by the value, ranges by their bound."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from treering.gateway.live.told import Told
from treering.gateway.live.wish import Beyond, Equal, Wish, is_plain, value_key
from treering.query import Matches, Row


class Entry[M]:
    """All who have one wish."""

    __slots__ = ("matches", "members")

    def __init__(self, matches: Matches) -> None:
        self.matches = matches
        self.members: dict[M, None] = {}


type Entries[M] = dict[bytes, Entry[M]]


class _Bounds[M]:
    """Entries whose field has to lie beyond a bound, in the order of those."""

    def __init__(self, *, is_low: bool) -> None:
        self._is_low = is_low
        self._bounds: list[Any] = []
        self._entries: dict[Any, Entries[M]] = {}

    def __len__(self) -> int:
        """Return how many bounds there are."""
        return len(self._bounds)

    def at(self, bound: Any) -> Entries[M]:
        """Return the entries with that bound."""
        if bound not in self._entries:
            insort(self._bounds, bound)
            self._entries[bound] = {}
        return self._entries[bound]

    def tidy(self, bound: Any) -> None:
        """Forget the bound if nobody has it any more."""
        if not self._entries.get(bound, True):
            del self._entries[bound]
            del self._bounds[bisect_left(self._bounds, bound)]

    def reached(self, value: Any) -> Sequence[Entries[M]]:
        """Return those that *value* may meet; the bound itself is one."""
        found = (
            self._bounds[: bisect_right(self._bounds, value)]
            if self._is_low
            else self._bounds[bisect_left(self._bounds, value) :]
        )
        return [self._entries[bound] for bound in found]


class Index[M]:
    """Entries by what they say of the field that is *read*."""

    def __init__(self, read: Callable[[Row], Any]) -> None:
        self._read = read
        self._equal: dict[Any, Entries[M]] = {}
        self._bounds: dict[tuple[bool, type], _Bounds[M]] = {}

    def __len__(self) -> int:
        """Return how many values and bounds there are."""
        return len(self._equal) + sum(map(len, self._bounds.values()))

    def at(self, place: Equal | Beyond) -> Iterator[Entries[M]]:
        """Yield the entries of each value, or of the bound."""
        if isinstance(place, Beyond):
            key = place.is_low, _type(place.bound)
            if key not in self._bounds:
                self._bounds[key] = _Bounds(is_low=place.is_low)
            yield self._bounds[key].at(place.bound)
            return
        for value in place.values:
            yield self._equal.setdefault(value, {})

    def tidy(self, place: Equal | Beyond) -> None:
        """Forget values and bounds that nobody asks for any more."""
        if isinstance(place, Beyond):
            self._bounds[place.is_low, _type(place.bound)].tidy(place.bound)
            return
        for value in place.values:
            if not self._equal.get(value, True):
                del self._equal[value]

    def found(self, told: Told) -> Sequence[Entry[M]]:
        """Return the entries that *told* may match."""
        value = self._read(told.row)
        if not is_plain(value):
            return ()
        entries = [*self._equal.get(value_key(value), {}).values()]
        if self._bounds:
            for is_low in (True, False):
                if (bounds := self._bounds.get((is_low, _type(value)))) is not None:
                    entries += [each for at in bounds.reached(value) for each in at.values()]
        return entries


def _type(value: object) -> type:
    """Return what is compared with each other: numbers with numbers, texts with texts."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float
    return type(value)


def entry_of[M](wish: Wish, places: Sequence[Entries[M]]) -> Entry[M]:
    """Return the entry of *wish*, which stands at all of *places*; made if need be."""
    known = next((each[wish.key] for each in places if wish.key in each), None)
    entry = Entry[M](wish.matches) if known is None else known
    for each in places:
        each[wish.key] = entry
    return entry
