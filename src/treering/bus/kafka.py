"""Kafka's driver as we use it: typed, and with the settings that our promises rest on."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol, cast

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata

from treering.errors import BusError

type Record = ConsumerRecord[bytes, bytes]
type Headers = Sequence[tuple[str, bytes]]
type Delivery = asyncio.Future[RecordMetadata]

LARGEST_RECORD = 1_048_588
"""Bytes of a record that our topics take; Kafka's own default."""
LARGEST_LETTER = 2 * LARGEST_RECORD
"""Bytes of a dead letter: a record as it came, and why it died."""
_BATCH_BYTES = 512 * 1024
_STOP_SECONDS = 5.0


class Batch(Protocol):
    """Records for one partition that are sent together."""

    def append(
        self, *, timestamp: int | None, key: bytes | None, value: bytes | None, headers: Headers
    ) -> object | None:
        """Add a record; None if there is no room for it."""
        ...

    def close(self) -> None: ...


class Producer(Protocol):
    """A producer as aiokafka has it."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
        headers: Headers | None = None,
    ) -> Delivery: ...
    def create_batch(self) -> Batch: ...
    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> Delivery: ...


class Consumer(Protocol):
    """A consumer as aiokafka has it."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def subscribe(
        self, topics: Sequence[str], *, listener: ConsumerRebalanceListener | None = None
    ) -> None: ...
    def assign(self, partitions: Iterable[TopicPartition]) -> None: ...
    def assignment(self) -> frozenset[TopicPartition]: ...
    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[Record]]: ...
    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None: ...
    async def committed(self, partition: TopicPartition) -> int | None: ...
    async def position(self, partition: TopicPartition) -> int: ...
    def seek(self, partition: TopicPartition, offset: int) -> None: ...
    def highwater(self, partition: TopicPartition) -> int | None: ...
    async def beginning_offsets(
        self, partitions: Iterable[TopicPartition]
    ) -> dict[TopicPartition, int]: ...
    async def end_offsets(
        self, partitions: Iterable[TopicPartition]
    ) -> dict[TopicPartition, int]: ...


def new_producer(kafka: str, *, largest: int = LARGEST_RECORD, **options: Any) -> Producer:
    """Return a producer whose records are acknowledged by all replicas; not started yet.

    It is not idempotent: a refused record would break an idempotent one, and who reads what we
    send takes it twice as once.
    """
    made = AIOKafkaProducer(
        bootstrap_servers=kafka,
        acks="all",
        linger_ms=0,
        max_batch_size=_BATCH_BYTES,
        max_request_size=largest,
        **options,
    )
    return cast("Producer", made)


def new_consumer(kafka: str, **options: Any) -> Consumer:
    """Return a consumer that commits nothing by itself; not started yet."""
    options = {"enable_auto_commit": False, "auto_offset_reset": "earliest", **options}
    return cast("Consumer", AIOKafkaConsumer(bootstrap_servers=kafka, **options))


@asynccontextmanager
async def started[C: Producer | Consumer](client: C) -> AsyncGenerator[C]:
    """Start *client*, and stop it in the end; raises BusError if Kafka cannot be reached."""
    try:
        await client.start()
        yield client
    except KafkaError as error:
        raise BusError(f"Kafka failed: {error or type(error).__name__}.") from error
    finally:
        await stopped(client)


async def stopped(client: Producer | Consumer) -> None:
    """Stop *client*; without a broker it would never end, so it is given up after a while."""
    stopping = asyncio.ensure_future(client.stop())
    await asyncio.wait([stopping], timeout=_STOP_SECONDS)
    if not stopping.done():
        stopping.cancel()
    elif not stopping.cancelled():
        stopping.exception()
