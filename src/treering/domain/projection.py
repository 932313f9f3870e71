"""What operators decide about read models: which events one passes over, for good."""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from treering.decider import Decider
from treering.message import Command, Event, Position, Received, Recorded, Stream

KIND = "projection"

type Skips = frozenset[Position]


class Skip(Command, type="projection.skip.v1"):
    """Have a read model pass over the event at a position, now and whenever it is rebuilt."""

    position: Annotated[int, msgspec.Meta(ge=1)]
    reason: str = ""


class Skipped(Event, type="projection.skipped.v1"):
    """The read model passes over the event at this position."""

    position: int
    reason: str = ""


def stream_of(name: str) -> Stream:
    """Return the stream of the read model called *name*."""
    return f"{KIND}/{name}"


def decide(skips: Skips, received: Received[Skip]) -> Sequence[Event]:
    """Return what follows from the command: nothing if that position is skipped already."""
    said = received.command
    return [] if said.position in skips else [Skipped(position=said.position, reason=said.reason)]


def evolve(skips: Skips, recorded: Recorded[Skipped]) -> Skips:
    """Return the skipped positions after one event."""
    return skips | {recorded.event.position}


projection = Decider[Skips](
    kind=KIND,
    initial=frozenset(),
    decide=decide,
    evolve=evolve,
    commands=[Skip],
    events=[Skipped],
    represent=lambda stream, skips: {"id": stream.partition("/")[2], "skipped": sorted(skips)},
)
