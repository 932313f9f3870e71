"""Batches of events, each sent with the checkpoint that follows from it."""

from collections.abc import Generator, Sequence
from functools import lru_cache

from treering.bus.partitions import partition_of
from treering.bus.topics import Topics
from treering.errors import UnknownMessage
from treering.message import Position, Stored, Stream, kind_of
from treering.points import reached
from treering.registry import Registry
from treering.relay.checkpoint import Checkpoint
from treering.relay.course import Course
from treering.relay.outbox import Outbox
from treering.relay.records import EventRecord, EventWriter, tombstone

_STREAMS = 65_536
"""Streams whose places are remembered."""


class Sending:
    """Sends what follows a checkpoint; after any error it is begun anew from the one on Kafka."""

    def __init__(
        self,
        outbox: Outbox,
        mark: Checkpoint,
        topics: Topics,
        registry: Registry,
        compacted: frozenset[str],
    ) -> None:
        self._outbox = outbox
        self._course = Course(mark)
        self._writer = EventWriter(topics.namespace, mark.epoch)
        self._topics = topics
        self._kinds = registry.deciders.keys()
        self._final = {name for name, each in registry.events.items() if each.body.erases}
        self._compacted = compacted
        self._place = lru_cache(_STREAMS)(self._find)

    @property
    def start(self) -> Position:
        """The events after this one are to be sent."""
        return self._course.start

    @property
    def position(self) -> Position:
        """Up to here events are on Kafka."""
        return self._course.checkpoint.position

    async def send(self, events: Sequence[Stored]) -> int:
        """Send what is due of *events*, all or none; return how many records that were."""
        parcel = self._outbox.pack(self._due(events))
        mark = self._course.after(events)
        reached("relay-before-send")
        if parcel.batches:
            mark = await self._outbox.send(parcel, mark)
        self._course.checkpoint = mark
        return sum(parcel.counts().values())

    def _due(self, events: Sequence[Stored]) -> Generator[tuple[str, EventRecord]]:
        for stored in events:
            topic, partition = self._place(stored.stream)
            if self._course.due(stored, topic, partition):
                record = self._writer.record(stored, partition)
                yield topic, record
                if stored.type in self._final and topic in self._compacted:
                    yield topic, tombstone(record)

    def _find(self, stream: Stream) -> tuple[str, int]:
        """Return the topic and the partition of *stream*."""
        kind = kind_of(stream)
        if kind not in self._kinds:
            raise UnknownMessage(
                f"The store holds {stream!r}, of a kind that this release does not know: it is "
                "older than the log; run the newer one."
            )
        topic = self._topics.events(kind)
        return topic, partition_of(stream, len(self._course.checkpoint.ends[topic]))
