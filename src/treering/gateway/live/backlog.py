"""What waits to be sent to one client, which is told why when it is too slow for it."""

import asyncio
from collections.abc import Sequence

from treering.errors import Refusal
from treering.gateway.http.problem import TooSlow

_SEND = 65_536
"""Bytes that are sent at once."""


class Backlog:
    """Pieces in their order, one or at most so many bytes; one takes them, any number put them.

    With more than that the client is cut: what waits is dropped, and it has to come back.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._pieces: list[bytes] = []
        self._bytes = 0
        self._wake = asyncio.Event()
        self.end: Refusal | None = None
        """Why there will be no more, once what waits has been sent."""

    @property
    def is_over(self) -> bool:
        """Whether there is nothing to send and will be nothing."""
        return self.end is not None and not self._pieces

    def put(self, piece: bytes, *, counts: bool = True) -> None:
        """Let *piece* be sent; what the client has asked for need not *count*."""
        if self.end is not None:
            return
        self._pieces.append(piece)
        self._bytes += len(piece) if counts else 0
        if self._bytes > self._most and len(self._pieces) > 1:
            self._pieces.clear()
            self.finish(
                TooSlow(
                    f"More than {self._most} bytes waited to be sent: you take them more slowly "
                    "than they come. Go on from the last one you have, or ask for less."
                )
            )
        self._wake.set()

    def finish(self, why: Refusal) -> None:
        """Let nothing more be put; what waits is still sent."""
        self.end = self.end or why
        self._wake.set()

    def nudge(self) -> None:
        """Have who takes look, although there is nothing."""
        self._wake.set()

    async def take(self) -> Sequence[bytes]:
        """Return what waits, as soon as there is a reason to look."""
        await self._wake.wait()
        self._wake.clear()
        pieces, self._pieces, self._bytes = self._pieces, [], 0
        return pieces


def joined(pieces: Sequence[bytes]) -> Sequence[bytes]:
    """Return *pieces* in fewer and larger ones, to be sent at once."""
    if len(pieces) < 2:
        return pieces
    parts: list[bytes] = []
    start = size = 0
    for place, piece in enumerate(pieces):
        size += len(piece)
        if size >= _SEND:
            parts.append(b"".join(pieces[start : place + 1]))
            start, size = place + 1, 0
    if start < len(pieces):
        parts.append(b"".join(pieces[start:]))
    return parts
