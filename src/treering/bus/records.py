"""All records that a topic holds at the moment."""

from collections.abc import AsyncGenerator
from time import monotonic

from aiokafka import TopicPartition

from treering.bus.kafka import Record, new_consumer, started
from treering.bus.topics import partition_counts
from treering.errors import BusError

_PATIENCE = 30.0
_POLL_MS = 500


async def records_of(kafka: str, topic: str) -> AsyncGenerator[Record]:
    """Yield all records that *topic* holds now, partition by partition in order."""
    count = (await partition_counts(kafka, [topic]))[topic]
    async with started(new_consumer(kafka)) as consumer:
        partitions = [TopicPartition(topic, each) for each in range(count)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        begins = await consumer.beginning_offsets(partitions)
        left = {each for each in partitions if begins[each] < ends[each]}
        seen = monotonic()
        while left:
            for records in (await consumer.getmany(*left, timeout_ms=_POLL_MS)).values():
                seen = monotonic()
                for record in records:
                    yield record
            left = {each for each in left if await consumer.position(each) < ends[each]}
            if monotonic() - seen > _PATIENCE:
                raise BusError(f"Topic {topic!r} could not be read to its end.")
