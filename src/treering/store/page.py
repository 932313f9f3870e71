"""A page of events: what is read at once is bounded by their number and by their bytes."""

from collections.abc import Sequence

from treering.message import Stored

PAGE_BYTES = 8_000_000
"""Bytes of bodies after which a page takes no other event."""
_LARGEST_CHARACTER = 4
"""Bytes of UTF-8."""


def size(events: Sequence[Stored]) -> int:
    """Return how many characters the bodies of *events* have."""
    return sum([len(each.body) for each in events])


def is_last(events: Sequence[Stored], limit: int) -> bool:
    """Say whether a read of up to *limit* events has come to the end; if in doubt, it has not."""
    return len(events) < limit and _LARGEST_CHARACTER * size(events) < PAGE_BYTES
