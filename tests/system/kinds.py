"""The kinds that these tests speak of: datasets, and accounts between which one transfers."""

from collections.abc import Mapping, Sequence

from treering.decider import Decider
from treering.entity import Entity
from treering.errors import Refusal
from treering.message import Command, Event, Received, Recorded
from treering.registry import Registry


class Dataset(Entity, unique={"name"}):
    """Rows under a name."""

    name: str
    rows: int = 0


class Transfer(Command, type="account.transfer.v1"):
    """Move coins into another account."""

    into: str
    coins: int


class Paid(Event, type="account.paid.v1"):
    """Coins have left."""

    coins: int


class Earned(Event, type="account.earned.v1"):
    """Coins have come."""

    coins: int


class TooPoor(Refusal, word="too-poor", title="Too poor"):
    """An account may be overdrawn by a hundred coins."""


def decide(
    accounts: Mapping[str, int], received: Received[Transfer]
) -> Mapping[str, Sequence[Event]]:
    here, command = received.stream, received.command
    if accounts[here] - command.coins < -100:
        raise TooPoor(f"{here} has {accounts[here]} coins.")
    return {here: [Paid(coins=command.coins)], command.into: [Earned(coins=command.coins)]}


def evolve(coins: int, recorded: Recorded[Paid | Earned]) -> int:
    event = recorded.event
    return coins - event.coins if isinstance(event, Paid) else coins + event.coins


account = Decider(
    kind="account",
    initial=0,
    decide=decide,
    evolve=evolve,
    concerns=lambda received: [received.command.into],
    commands=[Transfer],
    events=[Paid, Earned],
    represent=lambda stream, coins: {"id": stream, "coins": coins},
)

REGISTRY = Registry([Dataset.decider(), account])
