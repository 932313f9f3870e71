"""Which commands are dead letters: looked up on Kafka when somebody asks, and remembered."""

import asyncio
from datetime import UTC, datetime
from time import monotonic

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from treering.bus import Topics, partition_counts
from treering.bus.envelope import envelope, made_id_of
from treering.bus.kafka import Consumer, Record, new_consumer, started
from treering.errors import BusError, DeadLetter
from treering.message import Outcome

_PAUSE = 1.0
"""Seconds between two looks."""
_PATIENCE = 2.0
"""Seconds a look may take; the next one goes on where it ended."""
_MOST = 10_000
_POLL_MS = 200
_STATUS = {"unsigned": 401, "too-old": 410, "too-large": 413, "rule-failed": 500, "unreadable": 500}
"""What the sender was told by the word why it died; 400 for all others."""
_log = structlog.get_logger("treering.gateway")


class DeadLetters:
    """The newest dead letters by their commands' ids.

    A look reads on from where the last one ended, however many ask meanwhile. While Kafka is away
    nothing new is known.
    """

    def __init__(self, kafka: str, namespace: str) -> None:
        self._kafka = kafka
        self._topic = Topics(namespace).dead
        self._known: dict[str, Outcome] = {}
        self._next: dict[TopicPartition, int] = {}
        self._looking = asyncio.Lock()
        self._looked = -_PAUSE

    async def outcome(self, command: str) -> Outcome | None:
        """Return what the sender of a dead *command* was told; None if none such is known."""
        if command not in self._known:
            async with self._looking:
                if monotonic() - self._looked >= _PAUSE:
                    await self._look()
        return self._known.get(command)

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                count = (await partition_counts(self._kafka, [self._topic]))[self._topic]
                async with started(new_consumer(self._kafka)) as consumer:
                    await self._read(
                        consumer, [TopicPartition(self._topic, each) for each in range(count)]
                    )
        except (BusError, KafkaError, TimeoutError) as error:
            _log.warning("dead letters were not looked up", error=repr(error))
        self._looked = monotonic()

    async def _read(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.assign(partitions)
        begins = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        for each in partitions:
            self._next[each] = max(self._next.get(each, 0), begins[each])
            consumer.seek(each, self._next[each])
        while left := [each for each in partitions if self._next[each] < ends[each]]:
            for part, records in (await consumer.getmany(*left, timeout_ms=_POLL_MS)).items():
                for record in records:
                    self._take(record)
                self._next[part] = records[-1].offset + 1

    def _take(self, record: Record) -> None:
        said = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
        word = said.get("dead-error", "").rpartition(":")[2]
        error = DeadLetter(word, said.get("dead-reason", ""), _STATUS.get(word, 400))
        if (command := _command(record, said)) is not None:
            self._known.pop(command, None)
            self._known[command] = Outcome(
                command=command, outcome="refused", problem=error.problem(), dead=True
            )
        if len(self._known) > _MOST:
            del self._known[next(iter(self._known))]


def _command(record: Record, said: dict[str, str]) -> str | None:
    """Return the id of the command that died, made up again if it came without one."""
    try:
        content = envelope(record)[0]
    except DeadLetter:
        content = dict(record.headers)
    if command := content.get("ce_id"):
        return command.decode(errors="replace")
    try:
        place = said["dead-topic"], int(said["dead-partition"]), int(said["dead-offset"])
        return made_id_of(*place, datetime.fromisoformat(said["dead-time"]).astimezone(UTC))
    except (KeyError, ValueError):
        return None
