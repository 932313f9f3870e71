"""Rainfall: stations, what they measured, and the tanks that the rain is kept in.

Run it with `treering dev` in this folder.
"""

from collections.abc import Sequence
from datetime import date

from pydantic import Field

from treering import Command, Entity, EntityState, Event, Received, Refusal, Service
from treering.entity import Updated

service = Service(
    id="rainfall",
    display_name="Rainfall",
    version="1.0.0",
    description="Stations, measurements, and tanks.",
)


class Station(Entity, unique={"name"}, searchable={"name"}, sortable={"name", "height"}):
    """A place where rain is measured; no two have the same name."""

    name: str = Field(min_length=1, max_length=100)
    height: float = 0
    """Metres above the sea."""
    closed: bool = False


class Measurement(Entity, unique={("station", "day")}, filterable={"station", "day"}):
    """What fell at a station on a day; there is one for each day."""

    station: str
    day: date
    millimetres: float = Field(ge=0, le=2000)


class Close(Command, type="station.close.v1"):
    """Close a station for good."""


class StationIsClosed(Refusal, word="station-is-closed", title="The station is closed"):
    """A closed station is closed once."""


@Station.command(Close)
def close(state: EntityState, received: Received[Close]) -> Sequence[Event]:
    """Close it, unless somebody has."""
    if state.fields["closed"]:
        raise StationIsClosed(f"{received.stream} was closed before.")
    return [Updated(fields={"closed": True})]
