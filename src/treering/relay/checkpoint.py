"""How far events are on Kafka: kept beside them, in the same transaction."""

from collections.abc import Callable, Mapping, Sequence

import msgspec
from aiokafka import TopicPartition

from treering.message import Position

KEY = b"0"
"""The shard; there is one."""


class End(msgspec.Struct, frozen=True):
    """The end of a partition."""

    offset: int = 0
    """Where it ended, with the end of the last transaction."""
    position: Position = 0
    """Of the last event that it got."""


class Apart(msgspec.Struct, frozen=True):
    """A partition that does not have all events up to the checkpoint, or has some after it.

    That is what a broker can do which loses its power, or its life.
    """

    topic: str
    partition: int
    position: Position
    """Up to here it has its events."""


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was sent last, and where every events partition ended with it."""

    position: Position
    event: str | None = None
    """The id of the event at `position`: a store restored from a backup has another one there."""
    epoch: str
    ends: Mapping[str, Sequence[End]]
    """By topic, the end of each partition; their number is the one that keys are spread over."""
    apart: Sequence[Apart] = ()

    def end(self, partition: TopicPartition) -> End:
        """Return the end of *partition*."""
        return self.ends[partition.topic][partition.partition]


encode: Callable[[Checkpoint], bytes] = msgspec.json.Encoder().encode
decode: Callable[[bytes], Checkpoint] = msgspec.json.Decoder(Checkpoint).decode


def moved(checkpoint: Checkpoint, ends: Mapping[TopicPartition, End]) -> Checkpoint:
    """Return *checkpoint* with other *ends* of some partitions."""
    found = {topic: [*each] for topic, each in checkpoint.ends.items()}
    for partition, end in ends.items():
        found[partition.topic][partition.partition] = end
    return msgspec.structs.replace(checkpoint, ends=found)
