"""Commands that share streams, decided one after the other into one request."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from treering.decider import Decider, decided
from treering.errors import InvalidBody, Refusal, WrongVersion
from treering.handling.states import Held
from treering.message import (
    Change,
    Event,
    Malformed,
    OutcomeWord,
    Position,
    Received,
    Recorded,
    Stream,
    Verdict,
)  # fmt: skip
from treering.registry import Registry
from treering.store import Appended, Entry, Key, Origin, Request, Ruling, Stand

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")

type Refusals = Mapping[str, Refusal]
"""Commands that the store would not take, by id, and why."""

type Settled = tuple[Verdict, Held | None]
"""A verdict and the state in which it left its stream."""


class Asked(msgspec.Struct, frozen=True, gc=False):
    """A command, the rules that it obeys, and the streams that it is about, its subject first."""

    received: Received[Any]
    decider: Decider[Any]
    streams: Sequence[Stream]


def asked(registry: Registry, received: Received[Any]) -> Asked:
    """Return what *received* asks; raises UnknownMessage if its kind is not known."""
    decider = registry.decider_of(received.stream)
    if isinstance(received.command, Malformed):
        return Asked(received, decider, ())
    if decider.concerns is None:
        return Asked(received, decider, (received.stream,))
    streams = dict.fromkeys((received.stream, *decider.concerns(received)))
    return Asked(received, decider, tuple(streams))


class _Made(msgspec.Struct, gc=False):
    """An event of a plan, and its place in its stream."""

    entry: Entry
    event: Event


class Plan:
    """One request in the making: what was decided, and on what it rests."""

    def __init__(self, registry: Registry, states: Mapping[Stream, Held]) -> None:
        self._registry = registry
        self._base: Mapping[Stream, Held] = states
        self._now: dict[Stream, Held] = {}
        self._rests_on: set[Stream] = set()
        self._made: list[_Made] = []
        self._rulings: list[Ruling] = []
        self._erased: list[Stand] = []
        self.key_mover: Received[Any] | None = None
        """The one command of the request that takes or releases unique keys."""
        self.decided: list[Received[Any]] = []
        """The commands that this request settles; the rest of a group waits for the next round."""

    def decide(self, group: Sequence[Asked], refusals: Refusals) -> None:
        """Decide *group* in order; stops before a second command that moves unique keys."""
        for each in group:
            if not self._decide(each, refusals.get(each.received.id)):
                return
            self.decided.append(each.received)

    def request(self) -> Request:
        """Return what the store is asked for."""
        released: list[Key] = []
        taken: list[Key] = []
        if self.key_mover is not None:
            for stream, held in self._now.items():
                before = set(held.decider.keys(self._base[stream].state))
                after = set(held.decider.keys(held.state))
                released += [Key(key, stream) for key in sorted(before - after)]
                taken += [Key(key, stream) for key in sorted(after - before)]
        stands = [
            Stand(stream, self._base[stream].version, self._held(stream).version)
            for stream in self._rests_on
        ]
        return Request(
            stands=stands,
            rulings=self._rulings,
            entries=[made.entry for made in self._made],
            released=released,
            taken=taken,
            erased=self._erased,
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
                recorded = _recorded(made, answer.base + place, answer.recorded_at)
                found[stream] = found[stream].after(recorded)
            settled.append((_placed(ruling, answer), found.get(ruling.verdict.stream)))
        return settled, found

    def _held(self, stream: Stream) -> Held:
        return self._now.get(stream) or self._base[stream]

    def _decide(self, asked: Asked, refused: Refusal | None) -> bool:
        received, streams = asked.received, asked.streams
        outcome = refused or self._outcome(asked)
        if not isinstance(outcome, Refusal):
            encoded = self._encoded(outcome, received)
            if isinstance(encoded, list):
                if not self._add(received, encoded):
                    return False
                self._rests_on.update(streams)
                return True
            outcome = encoded
        self._rests_on.update(streams)
        version = self._held(received.stream).version if streams else 0
        self._rule(received, "refused", version, problem=outcome.problem())
        return True

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
    ) -> list[_Made] | Refusal:
        """Return the events as entries, or the refusal of one that PostgreSQL could not show."""
        origin = Origin(
            command=received.id,
            time=received.time,
            tenant=received.tenant,
            actor=received.actor,
            correlation=received.correlation,
            traceparent=received.traceparent,
        )
        made: list[_Made] = []
        for stream, events in outcome.items():
            version = self._held(stream).version
            for event in events:
                version += 1
                kind = self._registry.type_of(stream, event)
                body = kind.encode(event).decode()
                if "\\u0000" in body and _NUL.search(body):
                    said = "Text cannot hold the character U+0000; leave it out."
                    return InvalidBody(said, [{"path": "", "type": "nul", "msg": said}])
                made.append(_Made(Entry(stream, version, kind.name, body, origin), event))
        return made

    def _add(self, received: Received[Any], made: list[_Made]) -> bool:
        """Take the events in; False if they move unique keys and others did so before."""
        after: dict[Stream, Held] = {}
        moves = False
        for each in made:
            stream = each.entry.stream
            held = after.get(stream) or self._held(stream)
            after[stream] = held.after(_recorded(each, 0, received.now))
        for stream, held in after.items():
            keys = held.decider.keys
            moves = moves or set(keys(held.state)) != set(keys(self._held(stream).state))
        if moves:
            if self.key_mover is not None:
                return False
            self.key_mover = received
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
            changes=changes if len(changes) > 1 else (),
            places=(first, len(self._made)) if made else None,
        )
        return True

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


def _recorded(made: _Made, position: Position, at: Any) -> Recorded[Any]:
    entry = made.entry
    return Recorded(
        position=position,
        stream=entry.stream,
        version=entry.version,
        id=entry.id,
        type=entry.type,
        event=made.event,
        time=entry.origin.time,
        recorded_at=at,
        tenant=entry.origin.tenant,
        actor=entry.origin.actor,
        correlation=entry.origin.correlation,
        causation=entry.origin.command,
        traceparent=entry.origin.traceparent,
    )


def _placed(ruling: Ruling, answer: Appended) -> Verdict:
    if ruling.first is None or ruling.last is None:
        return msgspec.structs.replace(ruling.verdict, recorded_at=answer.recorded_at)
    positions = (answer.base + ruling.first, answer.base + ruling.last)
    return msgspec.structs.replace(
        ruling.verdict, recorded_at=answer.recorded_at, positions=positions
    )
