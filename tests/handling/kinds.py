"""The kinds of these tests, and commands for them as the wire would hand them over."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from treering import ulid
from treering.decider import Decider
from treering.entity import Entity
from treering.errors import Refusal
from treering.message import Command, Event, Received, Recorded, Stream
from treering.registry import Registry

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Dataset(Entity, unique={"name"}):
    name: str
    rows: int = 0


class Model(Entity, unique={("owner", "name")}, frees_keys=True):
    owner: str
    name: str


class Deposit(Command, type="account.deposit.v1"):
    amount: int


class Transfer(Command, type="account.transfer.v1"):
    to: Stream
    amount: int


class Moved(Event, type="account.moved.v1"):
    amount: int


class Overdrawn(Refusal, word="overdrawn", title="Overdrawn"):
    """An account may not go below nothing."""


class Balance(msgspec.Struct, frozen=True):
    amount: int = 0


def _concerns(received: Received[Any]) -> Sequence[Stream]:
    return [received.command.to] if isinstance(received.command, Transfer) else []


def _decide(
    states: Mapping[Stream, Balance], received: Received[Any]
) -> Mapping[Stream, Sequence[Event]]:
    command, stream = received.command, received.stream
    if isinstance(command, Deposit):
        return {stream: [Moved(amount=command.amount)] if command.amount else []}
    if states[stream].amount < command.amount:
        raise Overdrawn(f"{stream} holds {states[stream].amount}.", holds=states[stream].amount)
    return {stream: [Moved(amount=-command.amount)], command.to: [Moved(amount=command.amount)]}


def _evolve(state: Balance, recorded: Recorded[Any]) -> Balance:
    return Balance(state.amount + recorded.event.amount)


ACCOUNT = Decider(
    kind="account",
    initial=Balance(),
    decide=_decide,
    evolve=_evolve,
    commands=[Deposit, Transfer],
    events=[Moved],
    concerns=_concerns,
    represent=lambda stream, state: {"id": stream, "amount": state.amount},
)
REGISTRY = Registry([Dataset.decider(), Model.decider(), ACCOUNT])


def said(
    stream: Stream,
    command: Command,
    *,
    id: str | None = None,
    expected: int | None = None,
    fresh: bool = False,
    fingerprint: bytes | None = None,
) -> Received[Any]:
    """Return *command* about *stream* as it was received."""
    command_id = id or ulid.new()
    return Received(
        id=command_id,
        type=command.message_type or f"{type(command).__name__.lower()}.v1",
        stream=stream,
        command=command,
        now=NOW,
        time=NOW,
        correlation=command_id,
        expected=expected,
        fresh=fresh,
        fingerprint=fingerprint or repr(command).encode(),
    )
