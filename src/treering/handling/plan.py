"""Commands that share streams, decided one after the other into one request."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from treering.decider import decided
from treering.errors import InvalidBody, Refusal, TooLarge, WrongVersion
from treering.handling.asked import Asked
from treering.handling.claims import moves, shared
from treering.handling.made import Made, placed
from treering.handling.states import Held
from treering.message import (
    Change,
    Event,
    Malformed,
    OutcomeWord,
    Received,
    Stream,
    Verdict,
)  # fmt: skip
from treering.registry import Registry
from treering.rulebook import Holding
from treering.store import Appended, Entry, Origin, Request, Ruling, Stand

LARGEST_EVENT = 1_000_000
"""Bytes of an event's body: what is larger would not pass through Kafka."""
_LARGEST_TEXT = LARGEST_EVENT // 4
"""A text this short is never larger in bytes."""
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")

type Settled = tuple[Verdict, Held | None]
"""A verdict and the state in which it left its stream."""


class _Step(msgspec.Struct, gc=False):
    """What follows from one command: events, and how the streams that they change stand then."""

    made: list[Made]
    after: dict[Stream, Held]
    moves: bool
    """Whether streams hold other keys or references than before."""


class Plan:
    """One request in the making: what was decided, and on what it rests."""

    def __init__(self, registry: Registry, states: Mapping[Stream, Held]) -> None:
        self._registry = registry
        self._rulebook = registry.rulebook
        self._base: Mapping[Stream, Held] = states
        self._now: dict[Stream, Held] = {}
        self._rests_on: set[Stream] = set()
        self._made: list[Made] = []
        self._rulings: list[Ruling] = []
        self._erased: list[Stand] = []
        self.mover: Received[Any] | None = None
        """The one command of the request that moves unique keys or references."""
        self.decided: list[Received[Any]] = []
        """The commands that this request settles; the rest of a group waits for the next round."""

    def decide(self, asked: Asked, refused: Refusal | None) -> bool:
        """Take in what follows from a command, or from its being *refused* by the store.

        False if it would be the second that moves keys or references: it waits for the next round.
        """
        step = refused or self._step(asked)
        if isinstance(step, Refusal):
            self._refuse(asked, step)
        elif step.moves and self.mover is not None:
            return False
        else:
            self._take(asked.received, step)
        self._rests_on.update(asked.streams)
        self.decided.append(asked.received)
        return True

    def request(self) -> Request:
        """Return what the store is asked for."""
        stands = [
            Stand(stream, self._base[stream].version, self._held(stream).version)
            for stream in self._rests_on
        ]
        return Request(
            stands=stands,
            rulings=self._rulings,
            entries=[made.entry for made in self._made],
            erased=self._erased,
            **self._moves(),
        )

    def finish(self, answer: Appended) -> tuple[list[Settled], dict[Stream, Held]]:
        """Return the verdicts with the states they left, and the last states, as recorded."""
        found: dict[Stream, Held] = {stream: self._base[stream] for stream in self._rests_on}
        settled: list[Settled] = []
        place = 0
        for ruling in self._rulings:
            while place < (ruling.last or 0):
                made = self._made[place]
                place += 1
                stream = made.entry.stream
                recorded = made.recorded(answer.base + place, answer.recorded_at)
                found[stream] = found[stream].after(recorded)
            settled.append((placed(ruling, answer), found.get(ruling.verdict.stream)))
        return settled, found

    def _held(self, stream: Stream) -> Held:
        return self._now.get(stream) or self._base[stream]

    def _refuse(self, asked: Asked, refusal: Refusal) -> None:
        version = self._held(asked.received.stream).version if asked.streams else 0
        self._rule(asked.received, "refused", version, problem=refusal.problem())

    def _step(self, asked: Asked) -> _Step | Refusal:
        """Return what follows from a command, or why it may not be."""
        outcome = self._outcome(asked)
        if isinstance(outcome, Refusal):
            return outcome
        made = self._encoded(outcome, asked.received)
        if isinstance(made, Refusal):
            return made
        after = self._after(made, asked.received)
        moved = self._moved(after)
        return shared(moved) or _Step(made, after, moves=bool(moved))

    def _outcome(self, asked: Asked) -> Mapping[Stream, Sequence[Event]] | Refusal:
        received = asked.received
        if isinstance(received.command, Malformed):
            return InvalidBody(received.command.detail, received.command.errors)
        held = self._held(received.stream)
        if received.expected is not None and received.expected != held.version:
            return WrongVersion(
                f"{received.stream} stands at version {held.version}, not at {received.expected}; "
                "read it again and decide anew.",
                version=held.version,
            )
        states = {stream: self._held(stream).state for stream in asked.streams}
        return decided(asked.decider, states, received)

    def _encoded(
        self, outcome: Mapping[Stream, Sequence[Event]], received: Received[Any]
    ) -> list[Made] | Refusal:
        """Return the events as entries, or the refusal of one that PostgreSQL could not show."""
        origin = Origin(
            command=received.id,
            time=received.time,
            tenant=received.tenant,
            actor=received.actor,
            correlation=received.correlation,
            traceparent=received.traceparent,
        )
        made: list[Made] = []
        for stream, events in outcome.items():
            version = self._held(stream).version
            for event in events:
                version += 1
                kind = self._registry.type_of(stream, event)
                body = kind.encode(event).decode()
                if len(body) > _LARGEST_TEXT and len(body.encode()) > LARGEST_EVENT:
                    return TooLarge(
                        f"The event {kind.name} would have {len(body.encode())} bytes, "
                        f"{LARGEST_EVENT} are allowed; say it in smaller parts."
                    )
                if "\\u0000" in body and _NUL.search(body):
                    said = "Text cannot hold the character U+0000; leave it out."
                    return InvalidBody(said, [{"path": "", "type": "nul", "msg": said}])
                made.append(Made(Entry(stream, version, kind.name, body, origin), event))
        return made

    def _after(self, made: Sequence[Made], received: Received[Any]) -> dict[Stream, Held]:
        """Return how the changed streams stand after these events."""
        after: dict[Stream, Held] = {}
        for each in made:
            stream = each.entry.stream
            held = after.get(stream) or self._held(stream)
            after[stream] = held.after(each.recorded(0, received.now))
        return after

    def _moved(self, after: Mapping[Stream, Held]) -> dict[Stream, Holding]:
        """Return what the streams hold that hold something else *after* than now."""
        moved: dict[Stream, Holding] = {}
        for stream, held in after.items():
            if held.decider.kind in self._rulebook.bound:
                holding = self._holding(stream, held)
                if holding != self._holding(stream, self._held(stream)):
                    moved[stream] = holding
        return moved

    def _moves(self) -> dict[str, Any]:
        """Return what the request takes and gives up."""
        if self.mover is None:
            return {}
        before = {stream: self._holding(stream, self._base[stream]) for stream in self._now}
        after = {stream: self._holding(stream, held) for stream, held in self._now.items()}
        return moves(before, after)

    def _holding(self, stream: Stream, held: Held) -> Holding:
        return self._rulebook.held(stream, held.decider, held.version, held.state)

    def _take(self, received: Received[Any], step: _Step) -> None:
        made, after = step.made, step.after
        if step.moves:
            self.mover = received
        self._now |= after
        first = len(self._made) + 1
        self._made += made
        for each in made:
            if each.event.erases:
                self._erased.append(Stand(each.entry.stream, each.entry.version, 0))
        changes = [Change(stream=stream, version=held.version) for stream, held in after.items()]
        self._rule(
            received,
            "accepted" if made else "nothing",
            self._held(received.stream).version,
            changes=changes if {*after} - {received.stream} else (),
            places=(first, len(self._made)) if made else None,
        )

    def _rule(
        self,
        received: Received[Any],
        outcome: OutcomeWord,
        version: int,
        *,
        problem: dict[str, Any] | None = None,
        changes: Sequence[Change] = (),
        places: tuple[int, int] | None = None,
    ) -> None:
        verdict = Verdict(
            id=received.id,
            tenant=received.tenant,
            fingerprint=received.fingerprint,
            outcome=outcome,
            stream=received.stream,
            version=version,
            problem=problem,
            changes=changes,
        )
        self._rulings.append(Ruling(verdict, *(places or (None, None))))
