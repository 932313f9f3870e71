"""The newest events, kept for those who come back."""

from collections import deque
from collections.abc import Sequence
from itertools import islice

from treering.gateway.live.told import Told
from treering.message import Position, Stream

_ALIKE = 500
"""Bytes of an event beside its body."""


class Memory:
    """The events that follow `floor`, without a gap; the oldest go when bytes are too many."""

    def __init__(self, floor: Position, most: int) -> None:
        self.floor = floor
        self._most = most
        self._kept: deque[Told] = deque()
        self._bytes = 0

    @property
    def position(self) -> Position:
        """The newest."""
        return self.floor + len(self._kept)

    def add(self, told: Told) -> None:
        """Take in the next event."""
        self._kept.append(told)
        self._bytes += _size(told)
        while self._bytes > self._most:
            self._bytes -= _size(self._kept.popleft())
            self.floor += 1

    def since(self, position: Position) -> Sequence[Told] | None:
        """Return the events after *position*; None if it is too long ago."""
        if position < self.floor:
            return None
        return [*islice(self._kept, position - self.floor, None)]

    def erase(self, stream: Stream) -> None:
        """Forget the data of what happened in *stream*: it was erased in the store."""
        for place, told in enumerate(self._kept):
            if told.stored.stream == stream:
                self._bytes -= _size(told)
                self._kept[place] = told.erased()
                self._bytes += _size(self._kept[place])

    def clear(self) -> None:
        """Forget all; the store has it."""
        self.floor = self.position
        self._kept.clear()
        self._bytes = 0


def _size(told: Told) -> int:
    return _ALIKE + len(told.stored.body)
