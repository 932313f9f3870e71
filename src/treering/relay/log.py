"""What Kafka holds of a partition, read committed: where it begins and ends, and its records."""

from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from time import monotonic

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from treering.bus.kafka import Consumer, Record, new_consumer, started
from treering.errors import BusError

_SECONDS = 30.0
_POLL_MS = 200
_WAIT_MS = 10
"""How long Kafka may wait for new records: what else is asked waits behind it."""
_FIRST_WIDTH = 32
_LARGEST_WIDTH = 16_384

type Span = tuple[int, int]
"""Offsets from the first on, up to the second, which is not included."""


class Log:
    """Reads what is committed; an end is that of the last transaction that is over."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    @classmethod
    @asynccontextmanager
    async def open(cls, kafka: str, *, committed: bool = True) -> AsyncGenerator["Log"]:
        """Connect; raises BusError if Kafka cannot be reached, now or later."""
        consumer = new_consumer(
            kafka,
            isolation_level="read_committed" if committed else "read_uncommitted",
            fetch_max_wait_ms=_WAIT_MS,
            retry_backoff_ms=_WAIT_MS,
        )
        async with started(consumer):
            try:
                yield cls(consumer)
            except KafkaError as error:
                raise BusError(f"Kafka could not be read: {error!r}.") from error

    async def ends(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Return where each of *partitions* ends."""
        return await self._consumer.end_offsets(partitions) if partitions else {}

    async def spans(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, Span]:
        """Return where each of *partitions* begins and ends."""
        if not partitions:
            return {}
        begins = await self._consumer.beginning_offsets(partitions)
        ends = await self.ends(partitions)
        return {each: (begins[each], ends[each]) for each in partitions}

    async def read(self, spans: Mapping[TopicPartition, Span]) -> list[Record]:
        """Return the committed records within *spans*, those of a partition in order."""
        left: list[TopicPartition] = [each for each, (b, e) in spans.items() if b < e]
        if not left:
            return []
        self._consumer.assign(left)
        for each in left:
            self._consumer.seek(each, spans[each][0])
        deadline = monotonic() + _SECONDS
        found: list[Record] = []
        while left:
            if monotonic() > deadline:
                raise BusError(f"Kafka did not give {left[0].topic!r} to its end.")
            got = await self._consumer.getmany(*left, timeout_ms=_POLL_MS)
            for partition, records in got.items():
                found += [each for each in records if each.offset < spans[partition][1]]
            left = [each for each in left if await self._consumer.position(each) < spans[each][1]]
        return found

    async def newest(
        self, partitions: Collection[TopicPartition], wanted: Callable[[Record], bool]
    ) -> Mapping[TopicPartition, Record]:
        """Return the last record of each of *partitions* that is *wanted*, if it has one."""
        found: dict[TopicPartition, Record] = {}
        async for records in self.backwards(partitions, found.keys()):
            for each in filter(wanted, records):
                found[TopicPartition(each.topic, each.partition)] = each
        return found

    async def backwards(
        self, partitions: Collection[TopicPartition], done: Collection[TopicPartition]
    ) -> AsyncGenerator[list[Record]]:
        """Yield records from the ends of *partitions* to their begins, each part in order.

        Those that are *done*, to which the caller adds, are left out from then on.
        """
        left = dict(await self.spans(partitions))
        width = _FIRST_WIDTH
        while left := {p: (b, e) for p, (b, e) in left.items() if b < e and p not in done}:
            parts = {each: (max(begin, end - width), end) for each, (begin, end) in left.items()}
            yield await self.read(parts)
            left = {each: (left[each][0], start) for each, (start, _) in parts.items()}
            width = min(4 * width, _LARGEST_WIDTH)


async def unended(kafka: str, partitions: Collection[TopicPartition]) -> list[TopicPartition]:
    """Return those of *partitions* that hold a transaction which has not ended."""
    async with Log.open(kafka) as log, Log.open(kafka, committed=False) as all_:
        committed = await log.ends(partitions)
        ends = await all_.ends(partitions)
    return [each for each in partitions if committed[each] < ends[each]]
