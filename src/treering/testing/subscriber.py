"""A subscriber that reads committed, as anybody's would, and remembers what it has seen."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from treering.bus.kafka import Consumer, Record, new_consumer, stopped
from treering.bus.topics import partition_counts
from treering.errors import BusError
from treering.message import Position, Stream, Version

_PAUSE = 0.2


class Seen(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event as it arrived."""

    place: tuple[str, int]
    """Topic and partition."""
    offset: int
    key: Stream
    position: Position
    version: Version
    id: str
    type: str
    value: bytes


class Subscriber:
    """Reads *topics* from their beginning; when Kafka was away it goes on where it stood."""

    def __init__(self, kafka: str, topics: Sequence[str]) -> None:
        self.seen: list[Seen] = []
        self._kafka = kafka
        self._topics = topics
        self._arrived = asyncio.Event()
        self._next: dict[TopicPartition, int] = {}

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            with suppress(KafkaError, BusError):
                await self._read()
            await asyncio.sleep(_PAUSE)

    async def reach(self, position: Position, seconds: float) -> None:
        """Read until as many events have arrived as there are, or for *seconds*."""
        reading = asyncio.create_task(self.run(), name="subscriber")
        try:
            async with asyncio.timeout(seconds):
                while len(self.seen) < position:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            return
        finally:
            reading.cancel()
            await asyncio.wait({reading})

    async def _read(self) -> None:
        if not self._next:
            counts = await partition_counts(self._kafka, self._topics)
            self._next = {
                TopicPartition(topic, number): 0
                for topic, count in counts.items()
                for number in range(count)
            }
        consumer = new_consumer(self._kafka, isolation_level="read_committed")
        try:
            await consumer.start()
            await self._follow(consumer)
        finally:
            await stopped(consumer)

    async def _follow(self, consumer: Consumer) -> None:
        consumer.assign([*self._next])
        for partition, offset in self._next.items():
            consumer.seek(partition, offset)
        while True:
            for partition, records in (await consumer.getmany(timeout_ms=500)).items():
                self.seen += [_seen(record) for record in records]
                self._next[partition] = records[-1].offset + 1
            self._arrived.set()


def _seen(record: Record) -> Seen:
    headers: Mapping[str, bytes] = dict(record.headers)
    return Seen(
        place=(record.topic, record.partition),
        offset=record.offset,
        key=(record.key or b"").decode(),
        position=int(headers["ce_position"]),
        version=int(headers["ce_streamversion"]),
        id=headers["ce_id"].decode(),
        type=headers["ce_type"].decode(),
        value=record.value or b"",
    )
