"""Which events are still to be sent, and how the checkpoint moves as they are."""

from collections.abc import Sequence

import msgspec
from aiokafka import TopicPartition

from treering.message import Position, Stored
from treering.relay.checkpoint import Apart, Checkpoint


class Course:
    """Where to begin, and what to leave out until every partition stands where the others do."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self._common = checkpoint.position
        self._apart = {
            TopicPartition(each.topic, each.partition): each.position for each in checkpoint.apart
        }
        self.start: Position = min([self._common, *self._apart.values()])
        """The events after this one are to be read."""

    def due(self, stored: Stored, topic: str, partition: int) -> bool:
        """Say whether *partition* does not have *stored* yet."""
        if not self._apart:
            return True
        has = self._apart.get(TopicPartition(topic, partition), self._common)
        return stored.position > has

    def after(self, events: Sequence[Stored]) -> Checkpoint:
        """Return the checkpoint to send with what is due of *events*."""
        last = events[-1]
        self._apart = {
            partition: max(position, last.position)
            for partition, position in self._apart.items()
            if last.position < max(position, self._common)
        }
        changes = {"position": last.position, "event": last.id}
        return msgspec.structs.replace(
            self.checkpoint,
            apart=[Apart(*each, position) for each, position in self._apart.items()],
            **(changes if last.position > self.checkpoint.position else {}),
        )
