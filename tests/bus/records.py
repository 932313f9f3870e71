"""Records as Kafka would hand them over."""

from collections.abc import Mapping
from datetime import UTC, datetime

from aiokafka import ConsumerRecord

from treering.bus.kafka import Record

AT = datetime(2026, 11, 21, 12, 0, 0, 123_000, tzinfo=UTC)


def record(
    value: bytes | None = b"{}",
    headers: Mapping[str, bytes] | None = None,
    *,
    key: bytes | None = None,
    offset: int = 7,
    at: datetime = AT,
) -> Record:
    """Return a record of the commands topic with these headers."""
    return ConsumerRecord(
        topic="trees.commands",
        partition=2,
        offset=offset,
        timestamp=round(at.timestamp() * 1000),
        timestamp_type=1,
        key=key,
        value=value,
        checksum=None,
        serialized_key_size=len(key or b""),
        serialized_value_size=len(value or b""),
        headers=tuple((headers or {}).items()),
    )
