"""A tank: it holds rain, and what is poured from one into another is never lost on the way."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec

from treering import Command, Decider, Event, Received, Recorded, Refusal
from treering.errors import AlreadyExists, NotFound

type Litres = Annotated[int, msgspec.Meta(gt=0)]
type Tanks = Mapping[str, Tank]


class Tank(msgspec.Struct, frozen=True):
    """What is known of a tank."""

    capacity: int = 0
    litres: int = 0


class Build(Command, type="tank.build.v1"):
    """Build a tank."""

    capacity: Litres


class Fill(Command, type="tank.fill.v1"):
    """Let rain into a tank."""

    litres: Litres


class Pour(Command, type="tank.pour.v1"):
    """Pour from this tank into another one."""

    into: str
    """The other tank's stream, such as `tank/garden`."""
    litres: Litres


class Built(Event, type="tank.built.v1"):
    """The tank was built."""

    capacity: int


class Filled(Event, type="tank.filled.v1"):
    """Water came in."""

    litres: int


class Emptied(Event, type="tank.emptied.v1"):
    """Water went out."""

    litres: int


class Overflow(Refusal, word="overflow", title="The tank would overflow"):
    """There is no room for so much."""


class TooLittle(Refusal, word="too-little", title="There is too little in the tank"):
    """There is not so much in it."""


def concerns(received: Received[Build | Fill | Pour]) -> Sequence[str]:
    """Return the other tank, if there is one."""
    command = received.command
    return [command.into] if isinstance(command, Pour) else []


def decide(tanks: Tanks, received: Received[Build | Fill | Pour]) -> Mapping[str, Sequence[Event]]:
    """Return the events that follow for each tank: all of them are stored, or none."""
    here = received.stream
    match received.command:
        case Build(capacity=capacity):
            if tanks[here].capacity:
                raise AlreadyExists(f"{here} is there already.")
            return {here: [Built(capacity=capacity)]}
        case Fill(litres=litres):
            _require_room(tanks, here, litres)
            return {here: [Filled(litres=litres)]}
        case Pour(into=into) if into == here:
            return {}
        case Pour(into=into, litres=litres):
            if _built(tanks, here).litres < litres:
                raise TooLittle(f"{here} holds {tanks[here].litres} litres, not {litres}.")
            _require_room(tanks, into, litres)
            return {here: [Emptied(litres=litres)], into: [Filled(litres=litres)]}


def evolve(tank: Tank, recorded: Recorded[Built | Filled | Emptied]) -> Tank:
    """Return the tank after one event."""
    match recorded.event:
        case Built(capacity=capacity):
            return Tank(capacity=capacity)
        case Filled(litres=litres):
            return Tank(tank.capacity, tank.litres + litres)
        case Emptied(litres=litres):
            return Tank(tank.capacity, tank.litres - litres)


def represent(stream: str, tank: Tank) -> dict[str, object]:
    """Return a tank as outcomes show it."""
    return {
        "id": stream.partition("/")[2],
        "capacity": tank.capacity,
        "litres": tank.litres,
    }


tank = Decider(
    kind="tank",
    initial=Tank(),
    decide=decide,
    evolve=evolve,
    concerns=concerns,
    commands=[Build, Fill, Pour],
    events=[Built, Filled, Emptied],
    represent=represent,
    creates=frozenset({"tank.build.v1"}),
)


def _built(tanks: Tanks, stream: str) -> Tank:
    if stream not in tanks or not tanks[stream].capacity:
        raise NotFound(f"{stream} does not exist.")
    return tanks[stream]


def _require_room(tanks: Tanks, stream: str, litres: int) -> None:
    there = _built(tanks, stream)
    if there.litres + litres > there.capacity:
        room = there.capacity - there.litres
        raise Overflow(f"{stream} has room for {room} litres, not for {litres}.", room=room)
