"""Answers in this process: a bounded number of bytes, the longest unused go first."""

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

from treering import metrics
from treering.reading.cache.entry import Entry

_LARGEST = 8
"""An entry takes at most this part of all the room."""


class Memory:
    """Keeps entries of *room* bytes together."""

    def __init__(self, room: int, clock: Callable[[], float] = monotonic) -> None:
        self._room = room
        self._clock = clock
        self._kept: OrderedDict[str, tuple[Entry, float]] = OrderedDict()
        self._size = 0

    def get(self, address: str) -> Entry | None:
        """Return the entry there, unless its time is over."""
        if (found := self._kept.get(address)) is None:
            return None
        entry, until = found
        if self._clock() >= until:
            self._drop(address)
            return None
        self._kept.move_to_end(address)
        return entry

    def put(self, address: str, entry: Entry, seconds: float) -> bool:
        """Keep *entry* for so long; False if a newer one is there, or there is no room."""
        if entry.size * _LARGEST > self._room:
            return False
        before = self._kept.get(address)
        if before is not None and before[0].position > entry.position:
            return False
        if before is not None:
            self._drop(address)
        self._kept[address] = entry, self._clock() + seconds
        self._size += entry.size
        while self._size > self._room:
            self._drop(next(iter(self._kept)))
            metrics.cache_evictions.inc()
        metrics.cache_bytes.set(self._size)
        return True

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()
        self._size = 0
        metrics.cache_bytes.set(0)

    def _drop(self, address: str) -> None:
        entry, _ = self._kept.pop(address)
        self._size -= entry.size
