"""Records sent as any client of Kafka might, and read back as anyone could."""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime

import msgspec

from treering.bus.kafka import Record, new_producer, started
from treering.bus.records import records_of
from treering.message import Outcome

type Raw = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]
"""Key, value and headers."""


async def send(
    kafka: str,
    topic: str,
    *records: Raw,
    partition: int = 0,
    compression: str | None = None,
    at: datetime | None = None,
) -> None:
    """Send *records* to one partition, in one batch, and wait until they are there."""
    moment = None if at is None else round(at.timestamp() * 1000)
    async with started(new_producer(kafka, compression_type=compression)) as producer:
        deliveries = [
            await producer.send(topic, value, key, partition, moment, headers)
            for key, value, headers in records
        ]
        await asyncio.gather(*deliveries)


async def outcomes(kafka: str, topic: str, count: int, *, seconds: float = 20) -> list[Outcome]:
    """Return the outcomes on *topic* once there are *count* of them or more."""
    found = [_outcome(each) async for each in records_of(kafka, topic)]
    deadline = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
        found = [_outcome(each) async for each in records_of(kafka, topic)]
    assert len(found) >= count, f"{len(found)} outcomes came: {found}"
    return found


def _outcome(record: Record) -> Outcome:
    return msgspec.json.decode(record.value or b"", type=Outcome)
