"""What a service's own tests look like: no server is started."""

from typing import Any

from domain.tank import (
    Build,
    Built,
    Emptied,
    Fill,
    Filled,
    Overflow,
    Pour,
    TooLittle,
    tank,
)  # fmt: skip
from projections.tanks import tanks
from service import Close, Measurement, Station, StationIsClosed
from treering.entity import Create, Created, Updated
from treering.errors import AlreadyExists, InvalidBody, NotFound
from treering.testing import of

given = of(tank, stream="tank/house")
GARDEN = "tank/garden"
BERGEN: dict[str, Any] = {"tags": [], "name": "Bergen", "height": 12, "closed": False}


def test_a_station_is_closed_once() -> None:
    station = of(Station)
    station(Created(fields=BERGEN)).when(Close()).then(Updated(fields={"closed": True}))
    closed = station(Created(fields=BERGEN), Updated(fields={"closed": True}))
    closed.when(Close()).refuses(StationIsClosed)


def test_rain_does_not_fall_upwards() -> None:
    rain = {"station": "bergen", "day": "2026-11-21", "millimetres": -1}
    of(Measurement)().when(Create(fields=rain)).refuses(InvalidBody, "millimetres")


def test_a_tank_is_built_once() -> None:
    given().when(Build(capacity=100)).then(Built(capacity=100))
    given(Built(capacity=100)).when(Build(capacity=200)).refuses(AlreadyExists)


def test_rain_fills_a_tank_up_to_its_capacity() -> None:
    given(Built(capacity=100)).when(Fill(litres=100)).then(Filled(litres=100))
    full = given(Built(capacity=100), Filled(litres=100))
    assert full.when(Fill(litres=1)).refuses(Overflow).members == {"room": 0}


def test_what_is_poured_arrives() -> None:
    house = given(Built(capacity=100), Filled(litres=80), (GARDEN, Built(capacity=50)))
    house.when(Pour(into=GARDEN, litres=30)).then(Emptied(litres=30), (GARDEN, Filled(litres=30)))
    house.when(Pour(into=GARDEN, litres=60)).refuses(Overflow)
    house.when(Pour(into=GARDEN, litres=90)).refuses(TooLittle)
    house.when(Pour(into="tank/moon", litres=1)).refuses(NotFound)


def test_pouring_a_tank_into_itself_changes_nothing() -> None:
    given(Built(capacity=100), Filled(litres=80)).when(Pour(into="tank/house", litres=9)).nothing()


def test_the_read_model_counts_every_move() -> None:
    happened = given(Built(capacity=100), Filled(litres=80), Emptied(litres=30))
    changes = [change for each in happened.recorded for change in tanks.changes(each)]
    assert len(changes) == 3
