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


class Crack(Command, type="dataset.crack.v1"):
    """Fail while being read."""

    def __post_init__(self) -> None:
        """Fail."""
        raise ZeroDivisionError("secret")


@Dataset.command(Crack)
def crack(_state: EntityState, received: Received[Crack]) -> Sequence[Event]:
    raise AssertionError(received.id)


@Dataset.command(Measure)
def measure(_state: EntityState, received: Received[Measure]) -> Sequence[Event]:
    return [Updated(fields={"rows": len(received.command.points)})]


@Dataset.command(Break)
def break_(_state: EntityState, received: Received[Break]) -> Sequence[Event]:
    raise ZeroDivisionError(received.id)


REGISTRY = Registry([StoredConfig.decider(), Dataset.decider()])
