"""How far a service is: what waits to be decided, to be sent, to be shown."""

from collections.abc import Sequence

import msgspec
from aiokafka import TopicPartition

from treering.app.loading import App
from treering.bus import Topics, partition_counts
from treering.bus.kafka import new_consumer, started
from treering.message import Position
from treering.projection import Status
from treering.reading import ReadModels
from treering.relay.log import Log
from treering.relay.resume import Resumption
from treering.store import Reader, parked


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where everything stands at one moment."""

    position: Position
    """Of the newest event."""
    waiting: int
    """Commands that nobody has decided yet."""
    parked: int
    """Commands that wait for a newer handler."""
    sent: Position
    """Up to here events are on Kafka."""
    read_models: Sequence[Status]

    @property
    def unsent(self) -> int:
        """Events that are not on Kafka yet."""
        return max(0, self.position - self.sent)


async def standing(app: App, reader: Reader, kafka: str) -> Standing:
    """Look up where everything stands; raises StoreError or BusError when that can not be had."""
    topics = Topics(app.namespace)
    sent = await sent_up_to(kafka, reader, topics)
    return Standing(
        position=(await reader.head()).position,
        waiting=await waiting(kafka, topics),
        parked=sum(each.waiting for each in await parked.waiting(reader)),
        sent=sent,
        read_models=await ReadModels(reader, app.projections).status(),
    )


async def sent_up_to(kafka: str, reader: Reader, topics: Topics) -> Position:
    """Return up to where events are on Kafka."""
    async with Log.open(kafka) as log:
        mark = await Resumption(kafka, reader, log, topics).checkpoint()
    return mark.position if mark else 0


async def waiting(kafka: str, topics: Topics) -> int:
    """Return how many commands nobody has decided yet."""
    count = (await partition_counts(kafka, [topics.commands]))[topics.commands]
    partitions = [TopicPartition(topics.commands, each) for each in range(count)]
    async with started(new_consumer(kafka, group_id=topics.group)) as consumer:
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        begins = await consumer.beginning_offsets(partitions)
        found = [await consumer.committed(each) for each in partitions]
        starts = [
            begins[each] if at is None else at for each, at in zip(partitions, found, strict=True)
        ]
    return sum(max(0, ends[each] - at) for each, at in zip(partitions, starts, strict=True))
