"""What Kafka says of the events that were sent."""

from collections.abc import Collection, Mapping

import msgspec
from aiokafka import TopicPartition

from treering.bus.kafka import Record
from treering.message import Position
from treering.relay.checkpoint import End
from treering.relay.log import Log
from treering.relay.records import EPOCH, ID, POSITION
from treering.sql import statement
from treering.store import Reader


class Sent(msgspec.Struct, frozen=True):
    """An event on Kafka."""

    position: Position
    id: str
    epoch: str


def sent(record: Record) -> Sent | None:
    """Return which event *record* is, None if it is not one of ours."""
    said: Mapping[str, bytes] = dict(record.headers)
    position = said.get(POSITION, b"")
    if not position.isdigit():
        return None
    return Sent(int(position), said.get(ID, b"").decode(), said.get(EPOCH, b"").decode())


async def newest_sent(
    log: Log, partitions: Collection[TopicPartition]
) -> Mapping[TopicPartition, Sent]:
    """Return the last event of each of *partitions*, if it has one."""
    records = await log.newest(partitions, lambda each: sent(each) is not None)
    found = {partition: sent(record) for partition, record in records.items()}
    return {partition: event for partition, event in found.items() if event is not None}


async def standing(
    log: Log, partitions: Collection[TopicPartition]
) -> Mapping[TopicPartition, End]:
    """Return where each of *partitions* stands."""
    events = await newest_sent(log, partitions)
    return {
        partition: End(end, events[partition].position if partition in events else 0)
        for partition, end in (await log.ends(partitions)).items()
    }


async def stored_ids(store: Reader, positions: list[Position]) -> Mapping[Position, str]:
    """Return the ids of the store's events at *positions*."""
    rows = await store.fetch(statement("event_ids"), positions)
    return {row["position"]: row["id"] for row in rows}
