"""Old types of kinds that write their own messages."""

from collections.abc import Sequence

import msgspec
import pytest

from treering.decider import Decider
from treering.errors import DeclarationError, UpcastFailed
from treering.message import Command, Event, Received, Recorded
from treering.registry import Registry
from treering.upcast import Body, Upcast


class Fill(Command, type="tank.fill.v3"):
    litres: int


class Filled(Event, type="tank.filled.v2"):
    litres: int


def decide(_litres: int, received: Received[Fill]) -> Sequence[Event]:
    return [Filled(litres=received.command.litres)]


def evolve(litres: int, recorded: Recorded[Filled]) -> int:
    return litres + recorded.event.litres


def tank(*upcasts: Upcast) -> Decider[int]:
    return Decider(
        kind="tank",
        initial=0,
        decide=decide,
        evolve=evolve,
        commands=[Fill],
        events=[Filled],
        upcasts=upcasts,
    )


def gallons(body: Body) -> Body:
    return {"litres": round(body["gallons"] * 4.546)}


STEPS = [
    Upcast(old="tank.fill.v1", new="tank.fill.v2", change=lambda body: {"gallons": body["amount"]}),
    Upcast(old="tank.fill.v2", new="tank.fill.v3", change=gallons),
    Upcast(old="tank.filled.v1", new="tank.filled.v2", change=gallons),
]


def test_upcasts_are_taken_one_after_the_other() -> None:
    fill = Registry([tank(*STEPS)]).command("tank.fill.v1")
    assert fill is not None
    assert fill.decode(b'{"amount": 2}') == Fill(litres=9)
    assert (fill.name, fill.now) == ("tank.fill.v1", "tank.fill.v3")


def test_an_old_event_is_no_command() -> None:
    registry = Registry([tank(*STEPS)])
    assert registry.command("tank.filled.v1") is None
    assert registry.command("tank.fill.v0") is None


def test_what_an_upcast_returns_has_to_fit() -> None:
    registry = Registry([
        tank(Upcast(old="tank.fill.v2", new="tank.fill.v3", change=lambda body: body))
    ])  # fmt: skip
    fill = registry.command("tank.fill.v2")
    assert fill is not None
    with pytest.raises(UpcastFailed, match=r"tank\.fill\.v2, read as tank\.fill\.v3, does not fit"):
        fill.decode(b'{"gallons": 2}')


def test_an_upcast_returns_an_object() -> None:
    fill = Registry([
        tank(Upcast(old="tank.fill.v2", new="tank.fill.v3", change=lambda _: None))  # type: ignore[arg-type,return-value]
    ]).command("tank.fill.v2")  # fmt: skip
    assert fill is not None
    with pytest.raises(UpcastFailed, match="can not be read"):
        fill.decode(b"{}")


def test_what_can_not_be_written_is_a_fault_of_the_upcast() -> None:
    odd = Upcast(old="tank.fill.v2", new="tank.fill.v3", change=lambda _: {"litres": object()})
    fill = Registry([tank(odd)]).command("tank.fill.v2")
    assert fill is not None
    with pytest.raises(UpcastFailed, match="does not fit"):
        fill.decode(b"{}")


def test_what_is_no_json_is_no_fault_of_an_upcast() -> None:
    fill = Registry([tank(*STEPS)]).command("tank.fill.v1")
    assert fill is not None
    with pytest.raises(msgspec.DecodeError):
        fill.decode(b"[]")


@pytest.mark.parametrize(
    ("upcasts", "said"),
    [
        ([Upcast(old="tank.fill.v1", new="tank.fill.v2", change=dict)], "no type of today"),
        ([Upcast(old="tank.fill.v3", new="tank.fill.v3", change=dict)], "read in two ways"),
        ([STEPS[1], STEPS[1]], "read in two ways"),
        ([Upcast(old="pool.fill.v1", new="tank.fill.v3", change=dict)], "start it with its kind"),
        (
            [
                Upcast(old="tank.fill.v1", new="tank.fill.v2", change=dict),
                Upcast(old="tank.fill.v2", new="tank.fill.v1", change=dict),
            ],
            "no type of today",
        ),
    ],
)
def test_an_upcast_that_leads_nowhere_is_refused(upcasts: list[Upcast], said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        Registry([tank(*upcasts)])
