"""Outcomes: what a sender is told, made from a verdict, the same however often it is asked for."""

from collections.abc import Sequence
from typing import Any

import msgspec

from treering.errors import IdReused, UnknownMessage, UpcastFailed
from treering.handling.states import Held, folded
from treering.message import Outcome, Received, Verdict, kind_of
from treering.registry import Registry
from treering.store import Reader


def outcome(verdict: Verdict, held: Held | None) -> Outcome:
    """Return the outcome of *verdict*, whose stream stands as *held*."""
    if verdict.outcome == "refused":
        return Outcome(command=verdict.id, outcome="refused", problem=verdict.problem)
    return Outcome(
        command=verdict.id,
        outcome=verdict.outcome,
        stream=verdict.stream,
        version=verdict.version,
        positions=verdict.positions,
        changes=verdict.changes,
        entity=held and held.decider.represent(verdict.stream, held.state),
    )


def reused(received: Received[Any]) -> Outcome:
    """Return the answer to a command whose id was used before with another body."""
    refusal = IdReused(
        f"The command id {received.id!r} was used before with other content; take a new id.",
        command=received.id,
    )
    return Outcome(command=received.id, outcome="refused", problem=refusal.problem())


async def outcomes_of(
    reader: Reader, registry: Registry, verdicts: Sequence[Verdict]
) -> dict[str, Outcome]:
    """Return the outcomes of old *verdicts*, each entity folded again to the version it had."""
    found: dict[str, Outcome] = {}
    for verdict in verdicts:
        held = None
        if verdict.outcome != "refused" and kind_of(verdict.stream) in registry.deciders:
            asked = {verdict.stream: verdict.version}
            held = (await folded(reader, registry, asked))[verdict.stream]
        found[verdict.id] = outcome(verdict, held)
    return found


async def outcome_of(reader: Reader, registry: Registry, verdict: Verdict) -> Outcome:
    """Return the outcome of one old *verdict*; without the entity where that is too new for us."""
    try:
        return (await outcomes_of(reader, registry, [verdict]))[verdict.id]
    except (UnknownMessage, UpcastFailed, msgspec.MsgspecError):
        return outcome(verdict, None)
