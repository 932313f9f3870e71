"""Events as records on Kafka: the stream is the key, everything but the body a header."""

from datetime import datetime
from functools import lru_cache

import msgspec

from treering.bus.kafka import Headers
from treering.entity.rules import stamp
from treering.message import Position, Stored
from treering.schema import SCHEMAS

ERASED = b"{}"
POSITION = "ce_position"
EPOCH = "ce_epoch"
ID = "ce_id"


class EventRecord(msgspec.Struct, frozen=True):
    """What is sent to a topic of events."""

    partition: int
    key: bytes
    value: bytes | None
    headers: Headers
    position: Position


class EventWriter:
    """Writes events as records of *namespace*, in the store's *epoch*."""

    def __init__(self, namespace: str, epoch: str) -> None:
        self._fixed = [
            ("ce_specversion", b"1.0"),
            ("ce_source", f"/{namespace}".encode()),
            (EPOCH, epoch.encode()),
            ("content-type", b"application/json"),
        ]

    def record(self, stored: Stored, partition: int) -> EventRecord:
        """Return the record of *stored* for a *partition*."""
        key = stored.stream.encode()
        headers = [
            *self._fixed,
            *_type(stored.type),
            ("ce_subject", key),
            (ID, stored.id.encode()),
            (POSITION, b"%d" % stored.position),
            ("ce_streamversion", b"%d" % stored.version),
            ("ce_time", _time(stored.time)),
            ("ce_recordedtime", _time(stored.recorded_at)),
            ("ce_actor", stored.actor.encode()),
            ("ce_correlationid", stored.correlation.encode()),
            ("ce_causationid", stored.causation.encode()),
        ]
        if stored.traceparent is not None:
            headers.append(("traceparent", stored.traceparent.encode()))
        value = stored.body.encode() if stored.body else ERASED
        return EventRecord(partition, key, value, headers, stored.position)


def tombstone(record: EventRecord) -> EventRecord:
    """Return what makes a compacted topic forget all that *record*'s stream was."""
    return EventRecord(record.partition, record.key, None, [], record.position)


@lru_cache(maxsize=1024)
def _type(name: str) -> Headers:
    return [("ce_type", name.encode()), ("ce_dataschema", f"{SCHEMAS}/{name}".encode())]


@lru_cache(maxsize=8)
def _time(moment: datetime) -> bytes:
    return stamp(moment).encode()
