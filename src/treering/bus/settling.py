"""From records to answers: read, decide, answer; what cannot be is set aside."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from time import time
from traceback import format_exception
from typing import Any, Protocol

import structlog
from aiokafka.errors import KafkaError

from treering import metrics
from treering.breath import Breath
from treering.bus.answers import Answers
from treering.bus.kafka import Record
from treering.bus.parking import Parking, record_of, too_long
from treering.bus.wire import CommandReader
from treering.errors import (
    BusError,
    DeadLetter,
    NewerCommand,
    StoreNotReady,
    StoreUnavailable,
    UnknownMessage,
)  # fmt: skip
from treering.handling import Tell
from treering.message import Outcome, Received
from treering.store import Reader

_OLD_MS = 24 * 60 * 60 * 1000
"""Records younger than this cannot lie before the horizon, which is days ago."""
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0
_log = structlog.stdlib.get_logger(__name__)


type _Read = Received[Any] | DeadLetter | NewerCommand


class Settles(Protocol):
    """What decides commands: `treering.handling.Handling`."""

    async def handle(self, batch: Sequence[Received[Any]], tell: Tell) -> list[Outcome]:
        """Return the outcome of each command, in order; *tell* parts of them before."""
        ...


@dataclass(slots=True)
class HandlerStatistics:
    """What a handler has done since it was started."""

    commands: int = 0
    batches: int = 0
    dead: int = 0


class Settling:
    """Settles batches of records: each has its answer, acknowledged, when its turn is over."""

    def __init__(
        self, reader: CommandReader, handling: Settles, store: Reader, parking: Parking
    ) -> None:
        self.statistics = HandlerStatistics()
        self._reader = reader
        self._handling = handling
        self._store = store
        self._parking = parking

    async def settle(self, records: Sequence[Record], answers: Answers) -> Sequence[Record]:
        """Decide *records* and answer them; return when every answer is acknowledged.

        Returned are those that are too new for this handler, which wait for another one.
        """
        too_new: list[Record] = []
        commands: list[tuple[Record, Received[Any]]] = []
        for record, each in zip(records, await self._read(records), strict=True):
            if isinstance(each, DeadLetter):
                await self._set_aside(record, each, answers)
            elif isinstance(each, NewerCommand):
                if await self._waits(record, each, answers):
                    too_new.append(record)
            else:
                commands.append((record, each))
        telling, breath = _Telling(answers), Breath()
        decided = await self._decided([received for _, received in commands], telling.tell)
        for (record, received), answer in zip(commands, decided, strict=True):
            if isinstance(answer, DeadLetter):
                await self._set_aside(record, answer, answers)
            else:
                telling.note(received, answer)
            await breath.take()
        await answers.send()
        await answers.acknowledged()
        self.statistics.batches += 1
        self.statistics.commands += len(records)
        return too_new

    async def _waits(self, record: Record, newer: NewerCommand, answers: Answers) -> bool:
        """Answer what is too new; return whether it waits, as nobody has decided it yet."""
        if decided := await _patiently(partial(self._parking.decided, record, newer)):
            answers.told(record, decided)
            return False
        try:
            await _patiently(partial(self._parking.set_down, record, newer))
        except DeadLetter as error:
            await self._set_aside(record, error, answers)
            return False
        answers.parked(record, newer)
        return True

    async def take_up(self, answers: Answers) -> bool:
        """Decide some of the commands that wait for a handler of this release, if any do.

        Returned is whether there were some: then there may be more.
        """
        try:
            async with self._parking.waiting() as waiting:
                if not waiting:
                    return False
                records = [record_of(each) for each in waiting]
                too_new = await self.settle(records, answers)
                settled = [
                    each
                    for each, record in zip(waiting, records, strict=True)
                    if record not in too_new
                ]
                await self._parking.forget(settled)
                return bool(settled)
        except StoreUnavailable as error:
            _log.warning("what waits for this release is taken up later", error=str(error))
            return False

    async def set_overdue_aside(self, answers: Answers) -> bool:
        """Set some of those aside that have waited too long; return whether there were some."""
        try:
            async with self._parking.overdue() as overdue:
                for each in overdue:
                    await self._set_aside(record_of(each), too_long(each), answers)
                await answers.send()
                await answers.acknowledged()
                await self._parking.forget(overdue)
                return bool(overdue)
        except StoreUnavailable as error:
            _log.warning("what has waited too long is set aside later", error=str(error))
            return False

    async def _set_aside(self, record: Record, error: DeadLetter, answers: Answers) -> None:
        self.statistics.dead += 1
        metrics.dead_letters.labels(error.word).inc()
        await answers.letter(record, error)

    async def _read(self, records: Sequence[Record]) -> list[_Read]:
        horizon = None
        if min(record.timestamp for record in records) < time() * 1000 - _OLD_MS:
            horizon = (await _patiently(self._store.head)).horizon
        read: list[_Read] = []
        breath = Breath()
        for record in records:
            try:
                read.append(self._reader.read(record, horizon=horizon))
            except (DeadLetter, NewerCommand) as error:
                read.append(error)
            except Exception as error:  # noqa: BLE001 - a type's own reading may fail as it likes
                place = record.topic, record.partition, record.offset
                read.append(_fault("unreadable", "The record could not be read", error, *place))
            await breath.take()
        return read

    async def _decided(
        self, commands: Sequence[Received[Any]], tell: Tell
    ) -> Sequence[Outcome | DeadLetter]:
        """Return the outcomes; a command whose rules fail is a dead letter, its neighbours not."""
        try:
            return await _patiently(lambda: self._handling.handle(commands, tell))
        except (StoreNotReady, UnknownMessage, KafkaError, BusError):
            raise
        except Exception as error:  # noqa: BLE001 - the outermost loop: policy decides
            if len(commands) > 1:
                half = len(commands) // 2
                first = await self._decided(commands[:half], tell)
                return [*first, *await self._decided(commands[half:], tell)]
            (command,) = commands
            return [_fault("rule-failed", f"The rules of {command.type} failed", error, command.id)]


def _fault(word: str, what: str, error: Exception, *place: object) -> DeadLetter:
    """Return the letter that tells a sender of a fault of ours; the log has the whole of it."""
    _log.error(what, place=place, exception="".join(format_exception(error)))
    reason = f"{what}: {type(error).__name__}. The log of the handler says more."
    return DeadLetter(word, reason, 500)


class _Telling:
    """Has each command answered once, as soon as its outcome is known."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._told: set[int] = set()

    async def tell(self, settled: Sequence[tuple[Received[Any], Outcome]]) -> None:
        """Send the outcomes of commands that were not told of before."""
        for received, outcome in settled:
            self.note(received, outcome)
        await self._answers.send()

    def note(self, received: Received[Any], outcome: Outcome) -> None:
        """Have *outcome* sent with the next ones, unless it was told of before."""
        if id(received) not in self._told:
            self._told.add(id(received))
            self._answers.outcome(outcome, received)


async def _patiently[T](call: Callable[[], Awaitable[T]]) -> T:
    """Return what *call* returns, trying again in place for as long as the store is away."""
    pause = _FIRST_PAUSE
    while True:
        try:
            return await call()
        except StoreUnavailable as error:
            _log.warning("The store does not answer; trying again", error=str(error), pause=pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
