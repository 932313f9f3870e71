"""Send a range of recorded events again, to another topic or to an empty live one."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from typing import cast

import msgspec
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from treering.bus.kafka import new_producer, started
from treering.bus.partitions import partition_of
from treering.bus.topics import Topics, partition_counts
from treering.errors import BusError, RelayStopped
from treering.message import Position, Stored, kind_of
from treering.relay.checkpoint import Checkpoint, End
from treering.relay.log import Log
from treering.relay.outbox import Outbox
from treering.relay.packing import PackingProducer, Parcel, pack
from treering.relay.records import EventRecord, EventWriter
from treering.relay.resume import Resumption
from treering.relay.sent import standing
from treering.relay.topic import make
from treering.relay.turn import between_relays
from treering.store import Reader

_READ = 1000


async def republish(
    kafka: str, store: Reader, *, kinds: Sequence[str], start: Position, topic: str
) -> int:
    """Send the events from position *start* on to *topic*, and return how many.

    A topic that is not there is made. A live topic of the service takes its own kind, up to where
    the relay has come, while it is empty and no relay is at work; RelayStopped otherwise, and when
    *start* is before the first event. When it fails half-way, begin again with an empty topic.
    """
    if start < 1:
        raise RelayStopped(
            f"The first event is at position 1, there is none at {start}; give `treering relay "
            "republish` --from 1, or later."
        )
    topics = Topics(store.namespace)
    live = {topics.events(kind): kind for kind in kinds}
    if topic in live:
        filling = _Filling(kafka, store, topics, topic)
        return await between_relays(store, topics, lambda: filling.fill(live[topic], start))
    if topic in topics.all(()):
        raise RelayStopped(
            f"{topic} is no topic of events; give `treering relay republish` another one."
        )
    counts = await partition_counts(kafka, [*live])
    await make(kafka, topic, max(counts.values()))
    head = await store.head()
    return await _send(kafka, store, topic, kinds, range(start, head.position + 1))


class _Filling:
    """Fills an empty live topic."""

    def __init__(self, kafka: str, store: Reader, topics: Topics, topic: str) -> None:
        self._kafka = kafka
        self._store = store
        self._topics = topics
        self._topic = topic

    async def fill(self, kind: str, start: Position) -> int:
        """Send from *start* up to where the relay has come, which then goes on from there."""
        async with Outbox.open(self._kafka, self._topics) as outbox, Log.open(self._kafka) as log:
            mark = await Resumption(self._kafka, self._store, log, self._topics).checkpoint()
            if mark is None:
                raise RelayStopped(
                    f"{self._topics.relay} holds no checkpoint; run `treering relay adopt` first."
                )
            count = (await partition_counts(self._kafka, [self._topic]))[self._topic]
            partitions = [TopicPartition(self._topic, n) for n in range(count)]
            if any(begin < end for begin, end in (await log.spans(partitions)).values()):
                raise RelayStopped(
                    f"{self._topic} holds events already, and its subscribers would see them "
                    "twice; give `treering relay republish` another topic."
                )
            positions = range(start, mark.position + 1)
            sent = await _send(self._kafka, self._store, self._topic, [kind], positions)
            ends = [*(await standing(log, partitions)).values()]
            await outbox.send(Parcel(), self._filled(mark, ends))
            return sent

    def _filled(self, mark: Checkpoint, ends: Sequence[End]) -> Checkpoint:
        apart = [each for each in mark.apart if each.topic != self._topic]
        ends_ = {**mark.ends, self._topic: ends}
        return msgspec.structs.replace(mark, ends=ends_, apart=apart)


async def _send(
    kafka: str, store: Reader, topic: str, kinds: Collection[str], positions: range
) -> int:
    """Send the events of *kinds* at *positions* to *topic*, and return how many."""
    partitions = (await partition_counts(kafka, [topic]))[topic]
    writer = EventWriter(store.namespace, (await store.head()).epoch)
    count = 0
    async with started(new_producer(kafka, enable_idempotence=True)) as producer:
        async for events in _read(store, positions):
            wanted = [each for each in events if kind_of(each.stream) in kinds]
            records = [
                (topic, writer.record(each, partition_of(each.stream, partitions)))
                for each in wanted
            ]
            await _deliver(cast("PackingProducer", producer), records)
            count += len(records)
    return count


async def _read(store: Reader, positions: range) -> AsyncGenerator[Sequence[Stored]]:
    """Yield the events at *positions*, some at a time."""
    while positions:
        if not (events := await store.read(positions[0] - 1, limit=len(positions[:_READ]))):
            return
        yield events
        positions = range(events[-1].position + 1, positions.stop)


async def _deliver(producer: PackingProducer, records: Sequence[tuple[str, EventRecord]]) -> None:
    deliveries = await pack(producer, records).send(producer)
    for answer in await asyncio.gather(*deliveries, return_exceptions=True):
        if isinstance(answer, KafkaError):
            raise BusError(f"Kafka did not take an event: {answer!r}.") from answer
        if isinstance(answer, BaseException):
            raise answer
