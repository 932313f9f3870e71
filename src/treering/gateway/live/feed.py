"""What one client of a stream of events is sent: the past it has missed, and then what comes."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Sequence
from time import monotonic

import msgspec

from treering import metrics
from treering.errors import Refusal, StoreError
from treering.gateway.http.problem import DatabaseAway
from treering.gateway.live.backlog import Backlog, joined
from treering.gateway.live.tail import LiveOptions, Tail, restored
from treering.gateway.live.told import Told
from treering.gateway.live.wish import Wish
from treering.message import Position

_RETRY = 1000
"""Milliseconds until a client comes back, and up to which it waits longer, not all at once."""
_SECONDS = 1.0
"""Until the store is asked again for what it should have."""
_encode = msgspec.json.Encoder().encode


class Feed:
    """Server-sent events after a position: each that is wanted, once, in order.

    A word without data tells now and then how far it is, so that nobody who comes back has to be
    told of what he did not want.
    """

    def __init__(self, tail: Tail, wish: Wish, after: Position, options: LiveOptions) -> None:
        self._tail = tail
        self._wish = wish
        self._after = after
        self._epoch = tail.epoch
        self._seconds = options.keep_alive_seconds
        self._backlog = Backlog(options.backlog_bytes)
        self._said = monotonic()
        self._timer: asyncio.TimerHandle | None = None

    def tell(self, told: Told) -> None:
        """Take in an event; one from before a client's position it has seen elsewhere."""
        if told.position > self._after:
            self._backlog.put(told.sent)

    def finish(self, why: Refusal) -> None:
        """Take in that no more will be told."""
        self._backlog.finish(why)

    async def parts(self) -> AsyncGenerator[bytes]:
        """Yield what the client is sent, until it goes or is told why it ends."""
        metrics.live.labels("sse").inc()
        try:
            yield b"retry: %d\n%s" % (_RETRY + secrets.randbelow(_RETRY), self._place())
            async for part in self._missed():
                yield part
            while not self._backlog.is_over:
                self._watch()
                for part in joined(await self._backlog.take()) or self._word():
                    yield part
                self._said = monotonic()
        except StoreError:
            self.finish(DatabaseAway("PostgreSQL does not answer; come back."))
        finally:
            self._tail.leave(self)
            metrics.live.labels("sse").dec()
            if self._timer is not None:
                self._timer.cancel()
        if (end := self._backlog.end) is not None:
            metrics.live_ended.labels(end.word).inc()
            yield b"event: end\ndata: %s\n\n" % _encode(end.problem())

    async def _missed(self) -> AsyncGenerator[bytes]:
        """Yield what followed the position, from the store and then from memory; join the others.

        Between the last look at memory and joining nothing can happen.
        """
        while (missed := self._join()) is None and self._backlog.end is None:
            page = await self._tail.past(self._after)
            for part in _sent([told for told in page if self._wish.matches(told.row)]):
                yield part
            if page:
                self._after = page[-1].position
                yield self._place()
            else:
                await asyncio.sleep(_SECONDS)
        for part in _sent(missed or ()):
            yield part

    def _join(self) -> Sequence[Told] | None:
        if self._tail.epoch != self._epoch:
            self.finish(restored())
        if self._tail.ended is not None:
            self.finish(self._tail.ended)
        if self._backlog.end is not None:
            return None
        return self._tail.join(self._wish, self, self._after)

    def _word(self) -> Sequence[bytes]:
        """Return what is sent when there is nothing."""
        return [b": all is well\n" + self._place()] if self._backlog.end is None else []

    def _place(self) -> bytes:
        """Return the word that says up to where all has been sent."""
        position = max(self._after, self._tail.position) if self._is_live() else self._after
        return b"id: %s:%d\n\n" % (self._epoch.encode(), position)

    def _is_live(self) -> bool:
        return self._timer is not None

    def _watch(self) -> None:
        """Have a word sent when there was none for long."""
        if self._timer is None:
            self._due()

    def _due(self) -> None:
        left = self._said + self._seconds - monotonic()
        if left <= 0:
            self._backlog.nudge()
            left = self._seconds
        self._timer = asyncio.get_running_loop().call_later(left, self._due)


def _sent(events: Sequence[Told]) -> Sequence[bytes]:
    return joined([told.sent for told in events])
