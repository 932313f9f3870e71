"""The tanks: what each of them holds, and how often water came or went."""

from collections.abc import Iterable

from sqlalchemy import BigInteger, Column, MetaData, Table, Text

from domain.tank import Built, Emptied, Filled
from treering import Event, Recorded
from treering.message import id_of
from treering.projection import Change, increment, projection, put

table = Table(
    "tanks",
    MetaData(),
    Column("id", Text, primary_key=True),
    Column("capacity", BigInteger),
    Column("litres", BigInteger, nullable=False),
    Column("moves", BigInteger, nullable=False),
)


@projection("tanks", tables=[table], kinds={"tank"})
def tanks(recorded: Recorded[Event]) -> Iterable[Change]:
    """Return what an event changes in the tank's row."""
    name = id_of(recorded.stream)
    match recorded.event:
        case Built(capacity=capacity):
            yield put(table, {"id": name, "capacity": capacity, "litres": 0, "moves": 0})
        case Filled(litres=litres):
            yield increment(table, name, {"litres": litres, "moves": 1})
        case Emptied(litres=litres):
            yield increment(table, name, {"litres": -litres, "moves": 1})
        case _:
            pass
