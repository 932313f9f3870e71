"""The log played again: what was decided is what the rules say, and what is shown is the fold."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import chain, groupby
from typing import Any

import msgspec

from treering.decider import decided
from treering.entity import stamp
from treering.errors import Refusal, UpcastFailed
from treering.message import (
    EPOCH,
    Command,
    Event,
    Received,
    Recorded,
    Stream,
    Verdict,
    id_of,
    kind_of,
)  # fmt: skip
from treering.projection import Projection, apply
from treering.projection.entity import ABSENT
from treering.query import QueryOptions
from treering.reading import ReadModels
from treering.registry import Registry
from treering.testing.audit import Books, Violation
from treering.testing.ledger import Ledger, Said

type Decision = Mapping[Stream, Sequence[Event]] | Refusal

_UNSEEN = {"key-taken", "wrong-version", "unstorable"}
"""Refusals that do not come from the rules alone."""
_encode = msgspec.json.Encoder(order="sorted").encode


class Replay:
    """Decides every command again where it was decided; streams that were purged are left out."""

    def __init__(self, books: Books, ledger: Ledger) -> None:
        self.decided = 0
        """Commands that were decided again."""
        self._books = books
        self._states: dict[Stream, Any] = {}
        self._versions: dict[Stream, int] = {}
        self._holders: dict[str, Stream] = {}
        self._said: dict[str, Said] = {}
        self._shown: dict[tuple[Stream, int], list[Said]] = defaultdict(list)
        """Answers that told of an entity, by the version that they told of."""
        self._still: dict[tuple[Stream, int], list[tuple[Said, Verdict]]] = defaultdict(list)
        """Commands without events, by the version at which they were decided."""
        for said in ledger:
            self._sort(said)

    def audit(self) -> Iterator[Violation]:
        """Play it all, and return where it goes another way than it went."""
        for stream, version in [*self._still]:
            if version == 0:
                yield from self._arrived(stream)
        for _, group in groupby(self._books.events, key=lambda event: event.causation):
            yield from self._step([*group])

    def _sort(self, said: Said) -> None:
        verdict = self._books.verdicts.get(said.command or "")
        if verdict is None or said.fingerprint not in (None, verdict.fingerprint):
            return
        if said.answer and said.answer.entity is not None and said.answer.version is not None:
            self._shown[verdict.stream, said.answer.version].append(said)
        if verdict.outcome == "accepted":
            self._said.setdefault(verdict.id, said)
        else:
            self._still[verdict.stream, verdict.version].append((said, verdict))

    def _step(self, events: Sequence[Recorded[Any]]) -> Iterator[Violation]:
        """Decide a command again, compare, and go on from what it recorded."""
        verdict = self._books.verdicts.get(events[0].causation)
        said = self._said.get(events[0].causation)
        if verdict is not None and said is not None:
            yield from self._again(said, verdict, events)
        for event in events:
            decider = self._books.registry.decider_of(event.stream)
            before = self._state(event.stream)
            after = decider.fold(before, [event])
            yield from self._keys(event, {*decider.keys(before)}, {*decider.keys(after)})
            self._states[event.stream] = after
            self._versions[event.stream] = event.version
            yield from self._arrived(event.stream)

    def _again(
        self, said: Said, verdict: Verdict, events: Sequence[Recorded[Any]]
    ) -> Iterator[Violation]:
        about = f"command {verdict.id}"
        if said.expected is not None and self._versions.get(verdict.stream, 0) != said.expected:
            yield Violation(rule="decided at another version", about=about)
        outcome = self._decide(said, verdict.stream)
        if outcome is None:
            return
        recorded: dict[Stream, list[Event]] = defaultdict(list)
        for event in events:
            recorded[event.stream].append(event.event)
        if isinstance(outcome, Refusal) or {k: [*v] for k, v in outcome.items()} != recorded:
            detail = f"the rules say {outcome!r}, recorded is {dict(recorded)}"
            yield Violation(rule="not what the rules say", about=about, detail=detail[:500])

    def _arrived(self, stream: Stream) -> Iterator[Violation]:
        """Look at what was decided and shown at the version at which *stream* now stands."""
        place = stream, self._versions.get(stream, 0)
        if stream in self._books.erased:
            return
        for said, verdict in self._still.pop(place, ()):
            yield from self._nothing_again(said, verdict)
        state = self._state(stream)
        shown = self._books.registry.decider_of(stream).represent(stream, state)
        for said in self._shown.pop(place, ()):
            if said.answer and _encode(said.answer.entity) != _encode(shown):
                detail = f"showed {said.answer.entity}, the fold shows {shown}"
                yield Violation(rule="answer is not the fold", about=f"{place}", detail=detail)

    def _nothing_again(self, said: Said, verdict: Verdict) -> Iterator[Violation]:
        word = (verdict.problem or {"type": ""})["type"].rpartition(":")[2]
        kind = self._books.registry.decider_of(verdict.stream)
        received = self._received(said, verdict.stream)
        is_wide = kind.concerns is not None and received is not None and kind.concerns(received)
        if word in _UNSEEN or is_wide:
            return
        outcome = self._decide(said, verdict.stream)
        if outcome is None:
            return
        again = outcome.word if isinstance(outcome, Refusal) else "accepted" if outcome else ""
        if again != word:
            detail = f"was {word or 'nothing'}, the rules say {again or 'nothing'}"
            yield Violation(
                rule="not what the rules say", about=f"command {verdict.id}", detail=detail
            )

    def _decide(
        self, said: Said, stream: Stream
    ) -> Mapping[Stream, Sequence[Event]] | Refusal | None:
        """Return what follows now from what was said; None if that can not be told."""
        if (received := self._received(said, stream)) is None:
            return None
        decider = self._books.registry.decider_of(stream)
        streams = [stream, *(decider.concerns(received) if decider.concerns else ())]
        if not self._books.erased.isdisjoint(streams):
            return None
        self.decided += 1
        return decided(decider, {each: self._state(each) for each in streams}, received)

    def _received(self, said: Said, stream: Stream) -> Received[Any] | None:
        try:
            command = _command(self._books.registry, said)
        except (msgspec.DecodeError, UpcastFailed):
            return None
        if command is None:
            return None
        return Received(
            id=said.command or "",
            type=said.type,
            stream=stream,
            command=command,
            now=EPOCH,
            time=EPOCH,
            correlation="",
        )

    def _state(self, stream: Stream) -> Any:
        found = self._states.get(stream)
        return self._books.registry.decider_of(stream).initial if found is None else found

    def _keys(self, event: Recorded[Any], before: set[str], after: set[str]) -> Iterator[Violation]:
        """No two streams hold one key."""
        for key in before - after:
            self._holders.pop(key, None)
        for key in after - before:
            holder = self._holders.setdefault(key, event.stream)
            if holder != event.stream:
                detail = f"at position {event.position} taken by {event.stream}"
                yield Violation(rule="key held twice", about=f"{key} of {holder}", detail=detail)


async def audit_read_models(
    books: Books, read_models: ReadModels, projections: Sequence[Projection]
) -> Sequence[Violation]:
    """Check that every row that read models show is the fold's, and that there is no other."""
    found: list[Violation] = []
    for projection in projections:
        listing = await read_models.list(projection.name, QueryOptions(include_deleted=True))
        rows = {_key(projection, row): row for row in msgspec.json.decode(listing.items)}
        expected = {_key(projection, row): row for row in folded(books, projection)}
        for key in rows.keys() | expected.keys():
            shown, row = rows.get(key), expected.get(key)
            if _encode(shown) != _encode(row):
                detail = f"shows {shown}, the fold is {row}"
                about = f"{projection.name} {key}"
                found.append(Violation(rule="row is not the fold", about=about, detail=detail))
    return found


def audit_entities(books: Books, kinds: Mapping[str, Projection]) -> Iterator[Violation]:
    """Check that the read model of each of *kinds* makes of the log what outcomes show."""
    states: dict[Stream, Any] = {}
    for event in books.events:
        decider = books.registry.decider_of(event.stream)
        states[event.stream] = decider.fold(states.get(event.stream, decider.initial), [event])
    for kind, projection in kinds.items():
        rows = {row["id"]: row for row in folded(books, projection)}
        for stream, state in states.items():
            if kind_of(stream) != kind:
                continue
            shown = books.registry.decider_of(stream).represent(stream, state)
            row = rows.pop(id_of(stream), None)
            if _encode(shown) != _encode(row):
                detail = f"the row is {row}, outcomes show {shown}"
                yield Violation(rule="row is not the outcome", about=stream, detail=detail)
        for named in rows:
            yield Violation(rule="row is not the outcome", about=f"{kind}/{named}")


def folded(books: Books, projection: Projection) -> Sequence[Mapping[str, Any]]:
    """Return the rows that *projection* makes of all events, as they would be shown."""
    changes = chain.from_iterable(projection.changes(event) for event in books.events)
    table = projection.tables[0]
    absent = {column.name for column in table.columns if column.info.get(ABSENT)}
    return [
        {
            name: _plain(value)
            for name, value in row.items()
            if not name.startswith("_") and not (value is None and name in absent)
        }
        for row in apply(changes, {table.name: {}})[table.name].values()
    ]


def _command(registry: Registry, said: Said) -> Command | None:
    """Return what was said as today's command."""
    kind = registry.command(said.type)
    return kind.decode(msgspec.json.encode(said.body)) if kind else None


def _key(projection: Projection, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[column.name] for column in projection.tables[0].primary_key.columns)


def _plain(value: object) -> object:
    """Return *value* as JSON shows it."""
    if isinstance(value, datetime):
        return stamp(value)
    return value.isoformat() if isinstance(value, date) else value
