"""What a handler sends: outcomes, dead letters with their answers, and word of what is parked."""

import asyncio
from typing import Any

from treering.bus.envelope import address
from treering.bus.kafka import Batch, Delivery, Producer, Record
from treering.bus.letter import letter_record
from treering.bus.outcomes import OutcomeRecord, OutcomeWriter
from treering.bus.topics import Topics
from treering.errors import DeadLetter, NewerCommand
from treering.message import Outcome, Received


class Answers:
    """Gathers outcomes by partition, sends them together, and waits until Kafka has them."""

    def __init__(self, producer: Producer, topics: Topics, writer: OutcomeWriter) -> None:
        self._producer = producer
        self._topics = topics
        self._writer = writer
        self._gathered: dict[int, list[Batch]] = {}
        self._pending: list[Delivery] = []

    def outcome(self, outcome: Outcome, received: Received[Any]) -> None:
        """Gather *outcome* for where whoever asked listens."""
        subject = None if received.fresh else received.stream
        said, reply_to = received.fingerprint, received.reply_to
        self._gather(self._writer.record(outcome, said, reply_to, subject=subject))

    def _gather(self, record: OutcomeRecord) -> None:
        batches = self._gathered.get(record.partition)
        if batches is None:
            batches = self._gathered[record.partition] = [self._producer.create_batch()]
        if not _took(batches[-1], record):
            batches.append(self._producer.create_batch())
            _took(batches[-1], record)

    async def letter(self, record: Record, error: DeadLetter) -> None:
        """Set *record* aside, and tell its sender so if its id is readable."""
        letter = letter_record(record, error)
        delivery = await self._producer.send(
            self._topics.dead, letter.value, letter.key, headers=letter.headers
        )
        self._pending.append(delivery)
        command = address(record).command
        if command is not None:
            problem = error.problem()
            self.told(
                record, Outcome(command=command, outcome="refused", problem=problem, dead=True)
            )

    def parked(self, record: Record, newer: NewerCommand) -> None:
        """Tell its sender that the command waits for a newer handler."""
        command, problem = newer.command, newer.problem()
        self.told(record, Outcome(command=command, outcome="refused", problem=problem, parked=True))

    def told(self, record: Record, outcome: Outcome) -> None:
        """Gather *outcome* for who sent *record*, which was not read as a command."""
        to = address(record)
        self._gather(self._writer.record(outcome, to.fingerprint, to.reply_to))

    async def send(self) -> None:
        """Send what was gathered."""
        gathered, self._gathered = self._gathered, {}
        for partition, batches in gathered.items():
            for batch in batches:
                batch.close()
                delivery = await self._producer.send_batch(
                    batch, self._topics.outcomes, partition=partition
                )
                self._pending.append(delivery)

    async def acknowledged(self) -> None:
        """Wait until all that was sent is acknowledged; raises KafkaError if it will not be."""
        pending, self._pending = self._pending, []
        await asyncio.gather(*pending)


def _took(batch: Batch, record: OutcomeRecord) -> bool:
    """Add *record* to *batch* if there is room; the first one has room whatever its size."""
    added = batch.append(timestamp=None, key=record.key, value=record.value, headers=record.headers)
    return added is not None
