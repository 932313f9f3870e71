"""The kinds that these tests speak of."""

from collections.abc import Sequence

from treering.domain.config import StoredConfig
from treering.entity import Entity, EntityState, Updated
from treering.message import Command, Event, Received
from treering.registry import Registry


class Dataset(Entity, unique={"name"}):
    """Rows under a name."""

    name: str
    rows: int = 0


class Measure(Command, type="dataset.measure.v1"):
    """Count the rows anew."""

    where: str
    points: tuple[int, ...] = ()
    note: str = ""


class Break(Command, type="dataset.break.v1"):
    """Meet a rule that fails."""


@Dataset.command(Measure)
def measure(_state: EntityState, received: Received[Measure]) -> Sequence[Event]:
    return [Updated(fields={"rows": len(received.command.points)})]


@Dataset.command(Break)
def break_(_state: EntityState, received: Received[Break]) -> Sequence[Event]:
    raise ZeroDivisionError(received.id)


REGISTRY = Registry([StoredConfig.decider(), Dataset.decider()])
