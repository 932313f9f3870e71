"""Where outcomes arrive: one partition of their topic, from now on, by FastStream."""

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

from aiokafka import TopicPartition as Partition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, TopicPartition
from faststream.kafka.message import KafkaMessage

from treering.bus.kafka import Consumer, Record
from treering.errors import BusError

_START_SECONDS = 30.0
_YEARS_MS = 10 * 365 * 24 * 60 * 60 * 1000
"""FastStream sleeps for as long again when it has waited in vain: so it waits for years."""


class _Nobody:
    """The consumer of a message that is never acknowledged."""

    async def commit(self) -> None: ...

    def seek(self, partition: Partition, offset: int) -> None: ...


_NOBODY = _Nobody()


class Listener:
    """Hands every record of one partition to *arrived*, in batches as they come.

    *arrived* must not raise. Nothing is committed: it begins where the partition ends.
    """

    def __init__(
        self,
        kafka: str,
        topic: str,
        partition: int,
        arrived: Callable[[Sequence[Record]], None],
    ) -> None:
        self._partition = Partition(topic, partition)
        self._broker = KafkaBroker(
            kafka,
            apply_types=False,
            allow_auto_create_topics=False,
            consumer_only=True,
            graceful_timeout=1,
            logger=None,
        )
        self._subscriber = self._broker.subscriber(
            partitions=[TopicPartition(topic, partition)],
            batch=True,
            batch_timeout_ms=_YEARS_MS,
            auto_offset_reset="latest",
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
            parser=_parsed,
            decoder=lambda message: message.raw_message,
        )

        @self._subscriber
        async def listen(records: Sequence[Record]) -> None:
            arrived(records)

    async def start(self) -> None:
        """Return when nothing that is sent from now on will be missed."""
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self._broker.start()
                consumer = cast("Consumer", self._subscriber.consumer)
                await consumer.position(self._partition)
        except (KafkaError, TimeoutError) as error:
            await self.stop()
            raise BusError(f"Outcomes can not be listened to: {error!r}.") from error

    async def stop(self) -> None:
        """Listen no longer."""
        await self._broker.stop()


async def _parsed(records: tuple[Record, ...]) -> KafkaMessage:
    """Spare the headers: whoever is not waited for is not looked at."""
    return KafkaMessage(raw_message=records, body=b"", correlation_id="-", consumer=_NOBODY)
