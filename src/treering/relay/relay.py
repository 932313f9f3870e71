"""The relay: every recorded event to Kafka, in order, exactly once for who reads committed.

Any number of them may run; one is at work. It holds a lock in the database, and whoever gets
the lock fences at Kafka whoever had it before, and only then asks how far that one came: so a
relay that was frozen and wakes up can not send anything twice.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

import structlog
from aiokafka import TopicPartition

from treering import metrics
from treering.bus.topics import Topics
from treering.errors import BusError, StoreUnavailable
from treering.message import Position, Stored
from treering.registry import Registry
from treering.relay.ahead import Ahead
from treering.relay.checkpoint import Checkpoint
from treering.relay.log import Log, unended
from treering.relay.outbox import Outbox
from treering.relay.packing import Parcel
from treering.relay.resume import Resumption
from treering.relay.sending import Sending
from treering.relay.topic import compacted
from treering.relay.turn import turn_name
from treering.store import Reader
from treering.store.lock import alone

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
_WATCH_SECONDS = 2.0
_QUIET_SECONDS = 2.0
_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayOptions:
    """How a relay behaves."""

    batch: int = 1000
    """Events read at once, at most; one transaction takes up to two reads, and about 10 MB."""
    session_seconds: float = 5
    """Seconds of silence after which another relay may take over."""
    drain_seconds: float = 10
    """Seconds to finish a transaction in when told to stop."""


DEFAULT_OPTIONS = RelayOptions()


@dataclass(slots=True)
class RelayStatistics:
    """What a relay has done since it was started; a standby has done nothing."""

    active: bool = False
    """Whether it is the one at work."""
    position: Position = 0
    """Up to here events are on Kafka."""
    head: Position = 0
    """Up to here the store had events when last looked at."""
    events: int = 0
    """Events sent."""
    transactions: int = 0
    rate: float = 0.0
    """Events sent a second, of late."""

    @property
    def lag(self) -> int:
        """Events that are not on Kafka yet."""
        return max(0, self.head - self.position)


class Relay:
    """Sends the events of one namespace."""

    def __init__(
        self,
        kafka: str,
        *,
        namespace: str,
        store: Reader,
        registry: Registry,
        options: RelayOptions = DEFAULT_OPTIONS,
    ) -> None:
        self.statistics = RelayStatistics()
        self._kafka = kafka
        self._topics = Topics(namespace)
        self._store = store
        self._registry = registry
        self._kinds = [*registry.deciders]
        self._options = options
        self._settled = asyncio.Event()
        self._settled.set()

    @property
    def position(self) -> Position:
        """Up to here events are on Kafka."""
        return self.statistics.position

    async def run(self, stop: asyncio.Event) -> None:
        """Wait for the turn, then send events as they are recorded, until *stop* is set.

        A database or a Kafka that is away is waited for. Raises RelayStopped when going on would
        be a guess, StoreNotReady or UnknownMessage when this process is of no use.
        """
        standing = asyncio.create_task(self._stand(stop))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({standing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not standing.done():
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._options.drain_seconds):
                        await self._settled.wait()
        finally:
            stopping.cancel()
            standing.cancel()
            await asyncio.wait({standing})
        if not standing.cancelled():
            standing.result()

    async def lead(self, stop: asyncio.Event) -> None:
        """Fence, only then ask how far the one before came, and go on from there."""
        async with Outbox.open(self._kafka, self._topics) as outbox:
            await self.forward(outbox, await self.resume(outbox), stop)

    async def resume(self, outbox: Outbox) -> Checkpoint:
        """Return the checkpoint to go on from."""
        async with Log.open(self._kafka) as log:
            resumption = Resumption(self._kafka, self._store, log, self._topics)
            await resumption.end_all(outbox, self._kinds)
            return await resumption.resume(self._kinds)

    async def forward(self, outbox: Outbox, mark: Checkpoint, stop: asyncio.Event) -> None:
        """Send what follows *mark*, until *stop* is set."""
        names = [self._topics.events(kind) for kind in self._kinds]
        kept = await compacted(self._kafka, names)
        mark = await outbox.send(Parcel(), mark)
        sending = Sending(outbox, mark, self._topics, self._registry, kept)
        self.statistics.active = True
        self.statistics.position = mark.position
        metrics.relay_position.set(mark.position)
        watching = asyncio.create_task(self._watch())
        try:
            async with Ahead.open(self._store, sending.start, limit=self._options.batch) as ahead:
                unchecked = False
                while not stop.is_set():
                    events = await ahead.take(_QUIET_SECONDS if unchecked else None)
                    await (self._send(sending, events) if events else self._check(mark))
                    unchecked = bool(events)
        finally:
            self.statistics.active = False
            watching.cancel()
            await asyncio.wait({watching})

    async def _stand(self, stop: asyncio.Event) -> None:
        pause = _FIRST_PAUSE
        while not stop.is_set():
            before = self.statistics.transactions
            try:
                await alone(
                    self._store.url,
                    turn_name(self._topics),
                    lambda: self.lead(stop),
                    session_seconds=self._options.session_seconds,
                )
            except (BusError, StoreUnavailable) as error:
                if self.statistics.transactions > before:
                    pause = _FIRST_PAUSE
                _log.warning("The relay begins again", error=str(error), pause=pause)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    async def _send(self, sending: Sending, events: Sequence[Stored]) -> None:
        self._settled.clear()
        begun = monotonic()
        try:
            sent = await sending.send(events)
        finally:
            self._settled.set()
        self._note(sending.position, sent, monotonic() - begun)

    async def _check(self, mark: Checkpoint) -> None:
        """Make sure that what was sent last can be read: Kafka may forget to end a transaction."""
        names = [self._topics.events(kind) for kind in self._kinds]
        places = [TopicPartition(name, n) for name in names for n in range(len(mark.ends[name]))]
        if open_ := await unended(self._kafka, places):
            raise BusError(f"Kafka has forgotten to end a transaction in {open_[0].topic}.")

    def _note(self, position: Position, events: int, seconds: float) -> None:
        statistics = self.statistics
        statistics.position = position
        statistics.head = max(statistics.head, position)
        statistics.events += events
        statistics.transactions += 1
        metrics.relay_position.set(position)
        metrics.relay_events.inc(events)
        metrics.relay_seconds.observe(seconds)

    async def _watch(self) -> None:
        """Look every few seconds where the store stands, and how fast events are sent."""
        while True:
            events, since = self.statistics.events, monotonic()
            with suppress(StoreUnavailable):
                self.statistics.head = (await self._store.head()).position
            await asyncio.sleep(_WATCH_SECONDS)
            self.statistics.rate = (self.statistics.events - events) / (monotonic() - since)
