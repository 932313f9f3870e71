"""Drives commands over Kafka and counts what comes back: so many in flight, one client."""

import asyncio
import time
from dataclasses import dataclass
from statistics import median
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from treering import ulid
from treering.bus import Topics

BODY = b'{"name":"rain","data":{"n_lags":3,"season":"wet","sites":["a","b"]}}'
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """What one round found."""

    rate: float
    """Answers a second."""
    alone: float
    """The median of the milliseconds from sending to the answer."""


class Driver:
    """Sends `config.create.v1` to the commands of a namespace, and awaits answers by their key."""

    def __init__(self, kafka: str, namespace: str) -> None:
        self._topics = Topics(namespace)
        self._producer: Any = AIOKafkaProducer(bootstrap_servers=kafka, acks="all")
        self._consumer: Any = AIOKafkaConsumer(
            bootstrap_servers=kafka, auto_offset_reset="latest", enable_auto_commit=False
        )

    async def __aenter__(self) -> Self:
        await self._producer.start()
        await self._consumer.start()
        partition = TopicPartition(self._topics.outcomes, 0)
        self._consumer.assign([partition])
        await self._consumer.position(partition)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._producer.stop()
        await self._consumer.stop()

    async def drive(self, window: int, count: int) -> Drive:
        """Send *count* commands, *window* of them unanswered at a time."""
        room = asyncio.Semaphore(window)
        sent: dict[bytes, float] = {}
        taken: list[float] = []
        began = time.perf_counter()
        async with asyncio.timeout(_PATIENCE):
            collecting = asyncio.create_task(self._collect(sent, taken, room, count))
            for _ in range(count):
                await room.acquire()
                command = ulid.new().encode()
                sent[command] = time.perf_counter()
                headers = [
                    ("ce_type", b"config.create.v1"),
                    ("ce_id", command),
                    ("ce_specversion", b"1.0"),
                    ("reply-to", b"0"),
                    ("content-type", b"application/json"),
                ]
                await self._producer.send(self._topics.commands, BODY, command, headers=headers)
            await collecting
        return Drive(rate=count / (time.perf_counter() - began), alone=1000 * median(taken))

    async def _collect(
        self, sent: dict[bytes, float], taken: list[float], room: asyncio.Semaphore, count: int
    ) -> None:
        while len(taken) < count:
            for records in (await self._consumer.getmany(timeout_ms=1000)).values():
                for record in records:
                    if (at := sent.pop(record.key, None)) is not None:
                        taken.append(time.perf_counter() - at)
                        room.release()
