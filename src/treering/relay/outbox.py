"""The one producer that may write events: each batch and its checkpoint in one transaction."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol, cast

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from treering.bus.kafka import Delivery, new_producer, started
from treering.bus.topics import Topics
from treering.errors import BusError, RelayStopped
from treering.points import reached
from treering.relay.checkpoint import KEY, Checkpoint, End, encode, moved
from treering.relay.packing import Batch, PackingProducer, Parcel, pack
from treering.relay.records import EventRecord

TRANSACTION_SECONDS = 20.0
"""Kafka aborts what is open for longer: for so long can a frozen relay hold its readers up."""
_MARKER = 1
"""Places that the end of a transaction takes in each of its partitions."""
_BROKEN = (KafkaError, TimeoutError, AssertionError)
"""How aiokafka says that a producer is of no more use; it asserts that it has not failed before."""
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)


class TransactionalProducer(PackingProducer, Protocol):
    """A producer as aiokafka has it, with transactions."""

    async def begin_transaction(self) -> None: ...
    async def commit_transaction(self) -> None: ...
    async def abort_transaction(self) -> None: ...


class Outbox:
    """Sends; after any error it is of no more use, and the next one aborts what it left open."""

    def __init__(self, producer: TransactionalProducer, topics: Topics) -> None:
        self._producer = producer
        self._checkpoints = TopicPartition(topics.relay, 0)

    @classmethod
    @asynccontextmanager
    async def open(cls, kafka: str, topics: Topics) -> AsyncGenerator["Outbox"]:
        """Fence every older outbox: what it has not committed by now, it never will."""
        producer = new_producer(
            kafka,
            transactional_id=topics.relay,
            transaction_timeout_ms=round(1000 * TRANSACTION_SECONDS),
        )
        async with started(producer):
            yield cls(cast("TransactionalProducer", producer), topics)

    def pack(self, records: Iterable[tuple[str, EventRecord]]) -> Parcel:
        """Return *records*, each with its topic, packed in their order."""
        return pack(self._producer, records)

    async def send(self, parcel: Parcel, mark: Checkpoint) -> Checkpoint:
        """Send *parcel* and *mark*, all or none; return *mark* with the ends as they are then.

        Raises BusError when that is not known to be committed: it may be, or not.
        """
        counts = parcel.counts()
        mark = _with(mark, parcel, {each: mark.end(each).offset + n for each, n in counts.items()})
        note = Parcel([(self._checkpoints, self._note(encode(mark)))])
        try:
            async with asyncio.timeout(TRANSACTION_SECONDS):
                await self._producer.begin_transaction()
                sent = await parcel.send(self._producer)
                ends = await _delivered(parcel, [*sent, *await note.send(self._producer)])
                reached("relay-before-commit")
                await self._producer.commit_transaction()
        except _BROKEN as error:
            raise BusError(f"Kafka did not take a batch of events: {error!r}.") from error
        reached("relay-after-commit")
        return _with(mark, parcel, ends)

    async def sweep(self, partitions: Iterable[TopicPartition]) -> None:
        """Abort in *partitions* what was left open by a transaction that Kafka has forgotten.

        Nobody would ever end it; the end of ours, by the same producer, ends what is open before
        it as well.
        """
        notes = Parcel([(each, self._note(None)) for each in partitions])
        try:
            async with asyncio.timeout(TRANSACTION_SECONDS):
                await self._producer.begin_transaction()
                await _delivered(notes, await notes.send(self._producer))
                await self._producer.abort_transaction()
        except _BROKEN as error:
            raise BusError(f"Kafka did not abort a transaction: {error!r}.") from error

    def _note(self, value: bytes | None) -> Batch:
        batch = self._producer.create_batch()
        batch.append(timestamp=None, key=KEY, value=value)
        return batch


def _with(mark: Checkpoint, parcel: Parcel, ends: Mapping[TopicPartition, int]) -> Checkpoint:
    """Return *mark* with the partitions of *parcel* at *ends*, and at the ends of transactions."""
    newest = parcel.newest
    return moved(mark, {each: End(end + _MARKER, newest[each]) for each, end in ends.items()})


async def _delivered(parcel: Parcel, sent: Sequence[Delivery]) -> Mapping[TopicPartition, int]:
    """Return where the records of *parcel* end; raises if any was refused.

    Kafka would commit the others all the same.
    """
    answers = await asyncio.gather(*sent, return_exceptions=True)
    ends: dict[TopicPartition, int] = {}
    for (partition, batch), answer in zip(parcel.batches, answers, strict=False):
        if isinstance(answer, _TOO_LARGE):
            raise RelayStopped(
                f"Topic {partition.topic!r} does not take an event so large; raise its "
                "max.message.bytes, or send it elsewhere with `treering relay republish`."
            ) from answer
        if not isinstance(answer, BaseException):
            ends[partition] = answer.offset + batch.record_count()
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return ends
