"""How far Kafka and the store agree: the newest event that both have, with the same id."""

from collections.abc import Sequence

import msgspec
from aiokafka import TopicPartition

from treering.message import Position
from treering.relay.log import Log
from treering.relay.sent import sent, stored_ids
from treering.store import Reader


class Common(msgspec.Struct, frozen=True):
    """Where Kafka and the store part."""

    position: Position = 0
    """The newest event that both have."""
    event: str | None = None
    """Its id."""
    epochs: frozenset[str] = frozenset()
    """The epochs of the events on Kafka that the store does not have."""


async def common(log: Log, store: Reader, partitions: Sequence[TopicPartition]) -> Common:
    """Return how far *partitions* and *store* agree.

    Events are sent in the order of positions, so that all up to there were sent.
    """
    found = Common()
    done: set[TopicPartition] = set()
    async for records in log.backwards(partitions, done):
        events = [(record, event) for record in records if (event := sent(record)) is not None]
        ids = await stored_ids(store, [event.position for _, event in events])
        for record, event in events:
            if ids.get(event.position) != event.id:
                found = msgspec.structs.replace(found, epochs=found.epochs | {event.epoch})
                continue
            done.add(TopicPartition(record.topic, record.partition))
            if event.position > found.position:
                found = msgspec.structs.replace(found, position=event.position, event=event.id)
    return found
