"""What was asked of read models that no index serves: the ground for advice on indexes."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec

from treering.decider import Decider
from treering.message import Command, Event, Received, Recorded, Stream

KIND = "index-advice"
STREAM: Stream = f"{KIND}/fields"
"""All of it is one stream."""

type Count = Annotated[int, msgspec.Meta(ge=1)]
type Asked = Mapping[str, Mapping[str, int]]
"""How often a field was asked for, by the read model's name and the field's."""


class Add(Command, type="index-advice.add.v1"):
    """Add how often fields of read models were asked for that no index serves."""

    asked: dict[str, dict[str, Count]]


class Added(Event, type="index-advice.added.v1"):
    """Fields of read models were asked for so many times that no index serves."""

    asked: dict[str, dict[str, int]]


def decide(_known: Asked, received: Received[Add]) -> Sequence[Event]:
    """Return what follows from the command: nothing if nothing was asked for."""
    asked = {name: fields for name, fields in received.command.asked.items() if fields}
    return [Added(asked=asked)] if asked else []


def evolve(known: Asked, recorded: Recorded[Added]) -> Asked:
    """Return the sums after one event."""
    found = {name: dict(fields) for name, fields in known.items()}
    for name, fields in recorded.event.asked.items():
        sums = found.setdefault(name, {})
        for field, count in fields.items():
            sums[field] = sums.get(field, 0) + count
    return found


index_advice = Decider[Asked](
    kind=KIND,
    initial={},
    decide=decide,
    evolve=evolve,
    commands=[Add],
    events=[Added],
    represent=lambda stream, known: {"id": stream.partition("/")[2], "asked": known},
)
