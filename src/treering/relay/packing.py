"""Records packed by partition: what is sent at once, and acknowledged at once."""

from collections.abc import Iterable, Mapping, Sequence
from time import time
from typing import Protocol

import msgspec
from aiokafka import TopicPartition

from treering.bus.kafka import Delivery, Headers
from treering.message import Position
from treering.relay.records import EventRecord


class Batch(Protocol):
    """Records for one partition, as aiokafka packs them."""

    def append(
        self,
        *,
        timestamp: int | None,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
    ) -> object | None:
        """Add a record; None if it does not fit any more."""
        ...

    def record_count(self) -> int: ...


class PackingProducer(Protocol):
    """A producer as aiokafka has it."""

    def create_batch(self) -> Batch: ...
    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> Delivery: ...


class Parcel(msgspec.Struct, frozen=True):
    """Packed records."""

    batches: Sequence[tuple[TopicPartition, Batch]] = ()
    newest: Mapping[TopicPartition, Position] = {}
    """The last event for each partition."""

    def counts(self) -> Mapping[TopicPartition, int]:
        """Return how many records go to each partition."""
        counts: dict[TopicPartition, int] = {}
        for partition, batch in self.batches:
            counts[partition] = counts.get(partition, 0) + batch.record_count()
        return counts

    async def send(self, producer: PackingProducer) -> Sequence[Delivery]:
        """Hand it to *producer*; each delivery is that of a batch, in order."""
        return [
            await producer.send_batch(batch, each.topic, partition=each.partition)
            for each, batch in self.batches
        ]


def pack(producer: PackingProducer, records: Iterable[tuple[str, EventRecord]]) -> Parcel:
    """Return *records*, each with its topic, packed for *producer* in their order."""
    open_: dict[tuple[str, int], Batch] = {}
    packed: list[tuple[TopicPartition, Batch]] = []
    newest: dict[tuple[str, int], Position] = {}
    now = round(1000 * time())
    for topic, record in records:
        place = topic, record.partition
        newest[place] = record.position
        batch = open_.get(place)
        if batch is None or not _added(batch, record, now):
            batch = open_[place] = producer.create_batch()
            packed.append((TopicPartition(*place), batch))
            _added(batch, record, now)
    return Parcel(packed, {TopicPartition(*place): last for place, last in newest.items()})


def _added(batch: Batch, record: EventRecord, now: int) -> bool:
    added = batch.append(timestamp=now, key=record.key, value=record.value, headers=record.headers)
    return added is not None
