"""What the tests of the embedded servers do as clients and as other processes."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for *condition*, at most *seconds*."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)


def ask(database: str, question: str) -> Any:
    """Ask PostgreSQL one question."""

    async def go() -> Any:
        connection = await asyncpg.connect(database)
        try:
            return await connection.fetchval(question)
        finally:
            await connection.close()

    return asyncio.run(go())


class Topic:
    """One topic of one partition, as a client sees it."""

    def __init__(self, address: str, name: str, group: str = "readers") -> None:
        self.address, self.name, self.group = address, name, group

    def make(self) -> None:
        async def go() -> None:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.address)
            await admin.start()
            try:
                await admin.create_topics([NewTopic(self.name, 1, 1)])
            finally:
                await admin.close()

        asyncio.run(go())

    def produce(self, *values: str) -> None:
        """Produce every value in a batch of its own."""

        async def go() -> None:
            producer: Any = AIOKafkaProducer(bootstrap_servers=self.address)
            await producer.start()
            try:
                for value in values:
                    await producer.send_and_wait(self.name, value.encode())
            finally:
                await producer.stop()

        asyncio.run(go())

    def consume(self, count: int, *, leave: bool = True) -> list[str]:
        """Read on from what the group has committed, and commit."""

        async def go() -> list[str]:
            consumer = self.consumer()
            await consumer.start()
            try:
                found = [await asyncio.wait_for(consumer.getone(), 20) for _ in range(count)]
                await consumer.commit()
            finally:
                await _close(consumer, leave=leave)
            return [record.value.decode() for record in found]

        return asyncio.run(go())

    def consumer(self) -> Any:
        return AIOKafkaConsumer(
            self.name,
            bootstrap_servers=self.address,
            group_id=self.group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )

    def committed(self) -> int | None:
        async def go() -> int | None:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.address)
            await admin.start()
            try:
                found = await admin.list_consumer_group_offsets(self.group)
            finally:
                await admin.close()
            offset = found.get(TopicPartition(self.name, 0))
            return offset.offset if offset else None

        return asyncio.run(go())


async def _close(consumer: Any, *, leave: bool) -> None:
    """Stop *consumer*; without *leave* its group keeps it as a member that is gone."""
    if not leave:
        coordinator = consumer._coordinator  # noqa: SLF001 a consumer that dies has no name
        coordinator._maybe_leave_group = _stay  # noqa: SLF001
    await consumer.stop()


def _stay() -> Awaitable[None]:
    return asyncio.sleep(0)
