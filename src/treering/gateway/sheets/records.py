"""Records of a CSV file that comes in pieces, as PostgreSQL writes it."""

import csv
import io
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

type Record = Sequence[str]

_ENOUGH = 64_000
"""Bytes that are read at once."""
csv.field_size_limit(2**30)


def records_in(whole: bytes) -> list[list[str]]:
    """Return the records that *whole* is."""
    return [*csv.reader(io.StringIO(whole.decode(), newline=""))]


async def whole_ones(pieces: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Yield *pieces* cut anew, so that each ends where a record does."""
    waiting = bytearray()
    async with aclosing(pieces):
        async for piece in pieces:
            waiting += piece
            if len(waiting) >= _ENOUGH and (end := _end(waiting)):
                yield bytes(waiting[:end])
                del waiting[:end]
    if waiting:
        yield bytes(waiting)


def _end(waiting: bytearray) -> int:
    """Return where the last whole record ends; 0 if none does.

    Quotes within a text are doubled, so that outside of texts their number is even.
    """
    end = waiting.rfind(b"\n") + 1
    while end and waiting.count(b'"', 0, end) % 2:
        end = waiting.rfind(b"\n", 0, end - 1) + 1
    return end
