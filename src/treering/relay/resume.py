"""From where to go on: the checkpoint, compared with the store and with what Kafka holds.

It never guesses. What a partition has lost can be known exactly, and is made good; all else that
does not fit is for an operator to decide.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic

import msgspec
from aiokafka import TopicPartition

from treering.bus.topics import Topics, partition_counts
from treering.errors import RelayStopped
from treering.message import Position
from treering.relay.checkpoint import KEY, Apart, Checkpoint, End, decode
from treering.relay.log import Log, unended
from treering.relay.outbox import Outbox
from treering.relay.sent import Sent, newest_sent, stored_ids
from treering.relay.topic import retention
from treering.store import Reader

type Positions = Mapping[TopicPartition, Position]

CHOICE = (
    "run `treering relay adopt` to go on from where both agree, or `treering relay republish` to "
    "send events again to another topic"
)
_SWEEP_SECONDS = 10.0


class Resumption:
    """Compares what was sent with what there is, while nobody else can be sending."""

    def __init__(self, kafka: str, store: Reader, log: Log, topics: Topics) -> None:
        self._kafka = kafka
        self._store = store
        self._log = log
        self._topics = topics
        self._checkpoints = TopicPartition(topics.relay, 0)

    async def resume(self, kinds: Sequence[str]) -> Checkpoint:
        """Return the checkpoint to go on from; raises RelayStopped if that would be a guess."""
        found = await self.checkpoint()
        mark = await self.known(kinds, found)
        partitions = self.partitions(kinds, mark)
        if found is None:
            await self._check_empty(partitions)
            return mark
        await self._check_store(mark)
        apart = await self._apart(mark, partitions)
        return msgspec.structs.replace(
            mark, apart=[Apart(*each, position) for each, position in apart.items()]
        )

    async def end_all(self, outbox: Outbox, kinds: Sequence[str]) -> None:
        """Abort the transactions that Kafka has forgotten to end; all others are over by now.

        It does forget: the marks of a commit when it is killed just then, others in a power cut.
        What they held counts as not sent, whatever Kafka had answered.
        """
        counts = await self._counts(kinds)
        places = [TopicPartition(name, n) for name, count in counts.items() for n in range(count)]
        if not (open_ := await unended(self._kafka, places)):
            return
        await outbox.sweep(open_)
        deadline = monotonic() + _SWEEP_SECONDS
        while open_ := await unended(self._kafka, places):
            if monotonic() > deadline:
                raise RelayStopped(
                    f"A transaction that nobody can end blocks {open_[0].topic}; delete that "
                    "topic and start again, which sends its events again, or send them to "
                    "another topic with `treering relay republish`."
                )

    async def checkpoint(self) -> Checkpoint | None:
        """Return the newest checkpoint, None if there is none."""
        found = await self._log.newest(
            [self._checkpoints], lambda each: each.key == KEY and bool(each.value)
        )
        return decode(found[self._checkpoints].value or b"") if found else None

    async def known(self, kinds: Sequence[str], mark: Checkpoint | None) -> Checkpoint:
        """Return *mark*, or one from before the first event, with all topics of *kinds* in it."""
        counts = await self._counts(kinds)
        names = [self._topics.events(kind) for kind in kinds]
        if mark is None:
            mark = Checkpoint(position=0, epoch=(await self._store.head()).epoch, ends={})
        ends = {name: list(mark.ends.get(name, ()))[: counts[name]] for name in names}
        ends = {name: found or [End()] * counts[name] for name, found in ends.items()}
        return msgspec.structs.replace(mark, ends={**mark.ends, **ends})

    def partitions(self, kinds: Sequence[str], mark: Checkpoint) -> Sequence[TopicPartition]:
        """Return the partitions of the events of *kinds* that keys are spread over."""
        names = [self._topics.events(kind) for kind in kinds]
        return [TopicPartition(name, n) for name in names for n in range(len(mark.ends[name]))]

    async def _counts(self, kinds: Sequence[str]) -> Mapping[str, int]:
        """Return how many partitions the topics of *kinds* have, and that of the checkpoints."""
        names = [self._topics.events(kind) for kind in kinds]
        return await partition_counts(self._kafka, [*names, self._topics.relay])

    async def _check_empty(self, partitions: Sequence[TopicPartition]) -> None:
        for partition, end in (await self._log.ends(partitions)).items():
            if end > 0:
                raise RelayStopped(
                    f"{self._topics.relay} holds no checkpoint although {partition.topic} holds "
                    f"events; {CHOICE}."
                )

    async def _check_store(self, mark: Checkpoint) -> None:
        head = await self._store.head()
        ids = await stored_ids(self._store, [mark.position])
        if mark.epoch != head.epoch or ids.get(mark.position) != mark.event:
            raise RelayStopped(
                f"The store does not go on from position {mark.position}, up to which its events "
                f"were sent: it seems to be restored from a backup; {CHOICE}."
            )

    async def _apart(self, mark: Checkpoint, partitions: Sequence[TopicPartition]) -> Positions:
        """Return the partitions that stand elsewhere than *mark*, and up to where they have events.

        They are asked for their last event: whatever has happened to them, that is true.
        """
        events = await newest_sent(self._log, partitions)
        unequal = {TopicPartition(each.topic, each.partition) for each in mark.apart}
        apart: dict[TopicPartition, Position] = {}
        for each in partitions:
            last, event = mark.end(each).position, events.get(each)
            if event is None:
                if last > 0:
                    apart[each] = await self._emptied(each, mark)
            elif event.position != last or each in unequal:
                self._check_epoch(mark, each, event)
                apart[each] = event.position
        await self._check_ahead(mark, [events[each] for each in apart if each in events])
        return apart

    def _check_epoch(self, mark: Checkpoint, partition: TopicPartition, event: Sent) -> None:
        if event.epoch != mark.epoch:
            raise RelayStopped(
                f"{partition.topic} ends with events of another epoch of the store; {CHOICE}."
            )

    async def _emptied(self, partition: TopicPartition, mark: Checkpoint) -> Position:
        """Return after which position a *partition* without any event is to have them again."""
        begin, _ = (await self._log.spans([partition]))[partition]
        if begin >= mark.end(partition).offset - 1:
            return mark.position
        return await self._before_retention(partition.topic, mark.position)

    async def _before_retention(self, topic: str, upto: Position) -> Position:
        """Return the last position, at most *upto*, that is too old for *topic*."""
        kept = await retention(self._kafka, topic)
        if kept is None:
            return 0
        low, high, since = 0, upto, datetime.now(UTC) - kept
        while low < high:
            middle = (low + high) // 2
            (event,) = await self._store.read(middle, limit=1)
            low, high = (middle + 1, high) if event.recorded_at < since else (low, middle)
        return low

    async def _check_ahead(self, mark: Checkpoint, events: Sequence[Sent]) -> None:
        """Raise RelayStopped if Kafka holds events after *mark* that the store does not."""
        ahead = {each.position: each.id for each in events if each.position > mark.position}
        if ahead and await stored_ids(self._store, [*ahead]) != ahead:
            raise RelayStopped(
                f"Kafka holds events that the store does not, up to position {max(ahead)}: it "
                f"seems to be restored from a backup; {CHOICE}."
            )
