"""A subscriber that reads committed, as anybody's would."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.relay.forest import KINDS
from treering.bus.topics import Topics


@dataclass(frozen=True, slots=True)
class Seen:
    """An event as it arrived."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes | None
    headers: dict[str, str]

    @property
    def position(self) -> int:
        return int(self.headers["ce_position"])

    @property
    def version(self) -> int:
        return int(self.headers["ce_streamversion"])


async def everything(
    kafka: str,
    topics: Topics,
    *,
    names: Sequence[str] | None = None,
    tombstones: bool = False,
) -> list[Seen]:
    """Return all events that a subscriber finds now, from the beginning to the end."""
    consumer: Any = AIOKafkaConsumer(
        bootstrap_servers=kafka, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        names = names or [topics.events(kind) for kind in KINDS]
        places = [
            TopicPartition(name, n)
            for name in names
            for n in sorted(await consumer._client._wait_on_metadata(name))  # noqa: SLF001 - no other way
        ]
        begins = await consumer.beginning_offsets(places)
        ends = await consumer.end_offsets(places)
        consumer.assign(places)
        for each in places:
            consumer.seek(each, begins[each])
        found: list[Seen] = []
        while any([await consumer.position(each) < ends[each] for each in places]):
            for records in (await consumer.getmany(timeout_ms=100)).values():
                found += [_seen(each) for each in records if tombstones or each.value is not None]
        return found
    finally:
        await consumer.stop()


async def until(kafka: str, topics: Topics, position: int, seconds: float = 40) -> list[Seen]:
    """Return everything once *position* and all before it have arrived."""
    deadline = monotonic() + seconds
    while True:
        found = await everything(kafka, topics)
        missing = set(range(1, position + 1)) - {each.position for each in found}
        if not missing:
            return found
        assert monotonic() < deadline, f"{len(missing)} events did not arrive: {min(missing)} …"
        await asyncio.sleep(0.05)


def doubled(found: Sequence[Seen]) -> list[int]:
    """Return the positions that arrived more than once."""
    return [position for position, n in Counter(each.position for each in found).items() if n > 1]


def assert_exactly_once(found: Sequence[Seen], position: int) -> None:
    """Assert that each event up to *position* arrived once, those of a partition in order."""
    places = [
        (each.position, each.topic, each.partition, each.offset)
        for each in found
        if each.position in doubled(found)
    ]
    assert places == []
    assert sorted(each.position for each in found) == list(range(1, position + 1))
    last: dict[tuple[str, int], int] = {}
    for each in sorted(found, key=lambda seen: (seen.topic, seen.partition, seen.offset)):
        place = each.topic, each.partition
        assert last.get(place, 0) < each.position
        last[place] = each.position


def _seen(record: Any) -> Seen:
    headers = {name: value.decode() for name, value in record.headers}
    return Seen(
        record.topic, record.partition, record.offset, record.key.decode(), record.value, headers
    )
