"""The handler's loop: take a batch of commands, settle it, and soon commit exactly its offsets.

Whatever is killed, frozen or taken away on the way, a command is settled at least once, and the
store's verdicts make that exactly once.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

import stamina
import structlog
from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaError

from treering.bus.answers import Answers
from treering.bus.kafka import (
    LARGEST_LETTER,
    Consumer,
    Record,
    new_consumer,
    new_producer,
    started,
)  # fmt: skip
from treering.bus.outcomes import OutcomeWriter
from treering.bus.parking import Parking
from treering.bus.salvage import salvage
from treering.bus.settling import HandlerStatistics, Settles, Settling
from treering.bus.topics import Topics, partition_counts
from treering.bus.turns import Turns, Watchdog
from treering.bus.wire import CommandReader
from treering.errors import BusError
from treering.points import reached
from treering.registry import Registry
from treering.schema import SchemaRegistry
from treering.store import Reader

_ONE_DAY_MS = 24 * 60 * 60 * 1000
_IDLE_MS = 1000
_COMMIT_MS = 100
"""Between two commits, and until an idle handler commits: what a crash has answered once more."""
_TAKE_UP_SECONDS = 1.0
"""Between two looks for commands that waited for a handler of this release."""
_OVERDUE_SECONDS = 60.0
"""Between two looks for those that have waited too long."""
type Found = Mapping[TopicPartition, Sequence[Record]]
"""Records by partition, in order."""
_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerOptions:
    """How a handler behaves."""

    batch: int = 500
    """Commands decided at once, at most."""
    session_seconds: float = 6
    """Seconds of silence after which Kafka gives a handler's work to another."""
    drain_seconds: float = 10
    """Seconds to finish a batch in when told to stop, or when the work moves to another."""
    commit_seconds: float = 5
    """Seconds a commit may take; without it the batch is handled again, and answered the same."""
    retry_seconds: float = 30
    """Seconds to wait for Kafka at the start."""
    require_signature: bool | Callable[[], bool] = False
    """Whether a command that is not signed is a dead letter; asked each time if it may change."""


DEFAULT_OPTIONS = HandlerOptions()


class Handler:
    """Settles the commands of one namespace; any number of them share its partitions."""

    def __init__(  # noqa: PLR0913 - what it is composed of
        self,
        kafka: str,
        *,
        namespace: str,
        handling: Settles,
        store: Reader,
        registry: Registry,
        schemas: SchemaRegistry | None = None,
        secret: bytes | None = None,
        options: HandlerOptions = DEFAULT_OPTIONS,
    ) -> None:
        self._kafka = kafka
        self._topics = Topics(namespace)
        self._options = options
        schemas = schemas or SchemaRegistry()
        reader = CommandReader(
            registry,
            secret=secret,
            require_signature=options.require_signature,
            schemas=schemas,
        )
        self._settling = Settling(reader, handling, store, Parking(store, registry, schemas))
        self._turns = Turns(options.drain_seconds, self._commit)
        self._watchdog = Watchdog(0.8 * options.session_seconds)
        self._consumer: Consumer | None = None
        self._settled: dict[TopicPartition, int] = {}
        """Where partitions go on; not committed yet."""
        self._settled_under = 0
        self._committed_at = 0.0
        self._takes_up = False
        """Whether there may be more commands that waited for this release."""
        self._took_up_at = 0.0
        self._overdue_at = 0.0

    @property
    def statistics(self) -> HandlerStatistics:
        """What it has done so far."""
        return self._settling.statistics

    async def run(self, stop: asyncio.Event) -> None:
        """Settle commands until *stop* is set, then finish the batch in hand and leave.

        Raises BusError when Kafka fails, StoreNotReady or UnknownMessage when this process is of
        no use: it should end then, and be started again.
        """
        serving = asyncio.create_task(self._serve(stop))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not self._turns.between:
                await asyncio.wait({serving}, timeout=self._options.drain_seconds)
            if not serving.done():
                await self._commit()
        finally:
            stopping.cancel()
            serving.cancel()
            await asyncio.wait({serving})
        if not serving.cancelled():
            serving.result()

    async def _serve(self, stop: asyncio.Event) -> None:
        writer = OutcomeWriter(self._topics.namespace, await self._partitions())
        consumer = self._consumer = self._subscribed()
        async with (
            started(new_producer(self._kafka, largest=LARGEST_LETTER)) as producer,
            started(consumer),
        ):
            answers = Answers(producer, self._topics, writer)
            self._watchdog.start()
            try:
                while not stop.is_set():
                    await self._turn(consumer, answers, stop)
                await self._commit()
            finally:
                self._watchdog.stop()

    async def _partitions(self) -> int:
        """Return how many partitions the outcomes have, as soon as Kafka answers."""
        async for attempt in stamina.retry_context(
            on=BusError, timeout=self._options.retry_seconds, attempts=None, wait_max=1
        ):
            with attempt:
                topic = self._topics.outcomes
                return (await partition_counts(self._kafka, [topic]))[topic]
        raise BusError(f"Kafka at {self._kafka} was not reached.")

    def _subscribed(self) -> Consumer:
        session = round(1000 * self._options.session_seconds)
        consumer = new_consumer(
            self._kafka,
            group_id=self._topics.group,
            session_timeout_ms=session,
            heartbeat_interval_ms=session // 5,
            rebalance_timeout_ms=session + round(1000 * self._options.drain_seconds),
            max_poll_interval_ms=_ONE_DAY_MS,
        )
        consumer.subscribe([self._topics.commands], listener=self._turns)
        return consumer

    async def _turn(self, consumer: Consumer, answers: Answers, stop: asyncio.Event) -> None:
        found = await self._taken(consumer)
        if stop.is_set():
            return
        self._turns.begin()
        try:
            if found:
                await self._settle(found, answers)
            await self._look_after_waiting(answers)
            if not found or monotonic() > self._committed_at + _COMMIT_MS / 1000:
                await self._commit()
        finally:
            self._turns.end()

    async def _look_after_waiting(self, answers: Answers) -> None:
        """Take up some of what has waited for this release, and end what has waited too long."""
        if self._takes_up or monotonic() > self._took_up_at + _TAKE_UP_SECONDS:
            self._takes_up = await self._settling.take_up(answers)
            self._took_up_at = monotonic()
        if not self._takes_up and monotonic() > self._overdue_at + _OVERDUE_SECONDS:
            more = await self._settling.set_overdue_aside(answers)
            self._overdue_at = 0.0 if more else monotonic()

    async def _settle(self, found: Found, answers: Answers) -> None:
        self._watchdog.check()
        assignment = self._turns.assignment
        records = [record for part in found.values() for record in part]
        await self._settling.settle(records, answers)
        reached("after-outcome")
        self._note(found, assignment)

    def _note(self, found: Found, assignment: int) -> None:
        """Have what was *found* under this *assignment* committed when the time has come."""
        if assignment != self._settled_under:
            self._settled, self._settled_under = {}, assignment
        self._settled |= {part: records[-1].offset + 1 for part, records in found.items()}

    async def _taken(self, consumer: Consumer) -> Found:
        """Take what has arrived; what the driver cannot read is read without it."""
        try:
            timeout = 0 if self._takes_up else _COMMIT_MS if self._settled else _IDLE_MS
            return await consumer.getmany(timeout_ms=timeout, max_records=self._options.batch)
        except (UnicodeDecodeError, CorruptRecordException) as error:
            _log.warning("A record can not be read by the driver", error=str(error))
        await self._commit()
        positions = {part: await _committed(consumer, part) for part in consumer.assignment()}
        found = await salvage(self._kafka, positions)
        for part, offset in positions.items():
            consumer.seek(part, found[part][-1].offset + 1 if part in found else offset)
        return found

    async def _commit(self) -> None:
        """Commit exactly what is settled, unless the assignment is over or Kafka refuses."""
        offsets, self._settled = self._settled, {}
        self._committed_at = monotonic()
        if not offsets or self._consumer is None or self._settled_under != self._turns.assignment:
            return
        self._watchdog.check()
        try:
            async with asyncio.timeout(self._options.commit_seconds):
                await self._consumer.commit(offsets)
        except (KafkaError, TimeoutError) as error:
            _log.warning("A commit was left out", error=repr(error))
        reached("after-commit")


async def _committed(consumer: Consumer, partition: TopicPartition) -> int:
    """Return where *partition* goes on; what was settled but not committed is settled again."""
    committed = await consumer.committed(partition)
    if committed is None:
        return (await consumer.beginning_offsets([partition]))[partition]
    return committed
