"""Whether a service kept its promises: the store, the answers and the subscribers, compared.

Each audit returns what it found wrong, nothing if all is well. They are pure: `Books.read` has
taken from the store what they look at.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from treering.message import Erased, Position, Recorded, Stream, Verdict
from treering.registry import Registry
from treering.store import Reader
from treering.testing.ledger import Answer, Ledger, Said
from treering.testing.subscriber import Seen

_PAGE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A promise that was not kept."""

    rule: str
    """Which one, in a few words: the same for all violations of it."""
    about: str
    """The command, stream or position."""
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.rule}: {self.about} {self.detail}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What a store holds at one moment: all events, and the verdicts of those who made them."""

    registry: Registry
    head: Position
    events: Sequence[Recorded[Any]]
    verdicts: Mapping[str, Verdict]
    """Also those of the ledger's commands."""
    by_command: Mapping[str, Sequence[Recorded[Any]]] = field(init=False)
    """The events of each command."""
    erased: frozenset[Stream] = field(init=False)
    """Streams of which something was erased: nobody can fold them again from the beginning."""

    def __post_init__(self) -> None:
        """Sort the events."""
        found: dict[str, list[Recorded[Any]]] = defaultdict(list)
        for event in self.events:
            found[event.causation].append(event)
        object.__setattr__(self, "by_command", found)
        erased = {event.stream for event in self.events if isinstance(event.event, Erased)}
        object.__setattr__(self, "erased", frozenset(erased))

    @classmethod
    async def read(cls, reader: Reader, registry: Registry, ledger: Ledger) -> "Books":
        """Read everything, to be called when nobody writes."""
        head = (await reader.head()).position
        events: list[Recorded[Any]] = []
        while page := await reader.read(len(events), limit=_PAGE):
            events += [registry.recorded(stored) for stored in page]
        asked = {said.command for said in ledger if said.command}
        asked |= {event.causation for event in events}
        verdicts: dict[str, Verdict] = {}
        ids = sorted(asked)
        for start in range(0, len(ids), _PAGE):
            verdicts |= await reader.verdicts(ids[start : start + _PAGE])
        return cls(registry=registry, head=head, events=events, verdicts=verdicts)


def audit_store(books: Books) -> Iterator[Violation]:
    """Check that positions and versions are gapless, and that every event has its verdict."""
    if len(books.events) != books.head:
        detail = f"{len(books.events)} events"
        yield Violation(rule="head", about=f"position {books.head}", detail=detail)
    versions: Counter[Stream] = Counter()
    before = None
    for place, event in enumerate(books.events, 1):
        versions[event.stream] += 1
        about = f"position {event.position} of {event.stream}"
        if event.position != place:
            yield Violation(rule="gap in positions", about=about, detail=f"in place {place}")
        if event.version != versions[event.stream]:
            detail = f"is {event.version}, not {versions[event.stream]}"
            yield Violation(rule="gap in versions", about=about, detail=detail)
        if before is not None and event.recorded_at < before:
            yield Violation(rule="time runs backwards", about=about)
        before = event.recorded_at
    for command, events in books.by_command.items():
        yield from _without_verdict(command, events, books.verdicts.get(command))


def _without_verdict(
    command: str, events: Sequence[Recorded[Any]], verdict: Verdict | None
) -> Iterator[Violation]:
    found = [event.position for event in events]
    if verdict is None or verdict.outcome != "accepted" or verdict.positions is None:
        detail = f"has events {found} and the verdict {verdict and verdict.outcome}"
        yield Violation(rule="events without consent", about=f"command {command}", detail=detail)
    elif found != [*range(verdict.positions[0], verdict.positions[1] + 1)]:
        detail = f"has events {found}, its verdict says {verdict.positions}"
        yield Violation(rule="not all or none", about=f"command {command}", detail=detail)


def audit_answers(books: Books, ledger: Ledger) -> Iterator[Violation]:
    """Check that what was accepted stands there once, and the rest has left nothing."""
    found = Found(books)
    for said in ledger:
        if said.command is None:
            said.command = found.command_of(said)
            yield from found.several(said)
        verdict = books.verdicts.get(said.command or "")
        if verdict is None and said.command and found.events_of(said):
            yield Violation(rule="no verdict", about=_name(said))
        if verdict is None and said.is_taken:
            yield Violation(rule="taken and never decided", about=_name(said))
        if verdict is not None and said.answer is not None:
            yield from _reused(said, verdict)
        if said.answer is not None and not said.is_reused:
            yield from _compared(said, said.answer, verdict, found.events_of(said))
    for verdict in books.verdicts.values():
        if verdict.outcome == "accepted" and verdict.id not in books.by_command:
            yield Violation(rule="accepted events lost", about=f"command {verdict.id}")


class Found:
    """What the store has of something that was said."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._commands: dict[str, dict[str, None]] = defaultdict(dict)
        """Commands by request."""
        for event in books.events:
            self._commands[event.correlation][event.causation] = None

    def command_of(self, said: Said) -> str | None:
        """Return the command that came of a request, if it has left events."""
        return next(iter(self._commands.get(said.request or "", ())), None)

    def events_of(self, said: Said) -> Sequence[Recorded[Any]]:
        """Return the events that there are because of it."""
        return self._books.by_command.get(said.command or "", ())

    def several(self, said: Said) -> Iterator[Violation]:
        """One request is one command."""
        if len(self._commands.get(said.request or "", ())) > 1:
            yield Violation(rule="one request, several commands", about=_name(said))


def _reused(said: Said, verdict: Verdict) -> Iterator[Violation]:
    """Who says something else under a command's id is told so, and nobody else."""
    is_other = said.fingerprint is not None and said.fingerprint != verdict.fingerprint
    if is_other != said.is_reused:
        detail = f"answered {said.answer}"
        yield Violation(rule="id used twice", about=_name(said), detail=detail)


def _compared(
    said: Said, answer: Answer, verdict: Verdict | None, events: Sequence[Recorded[Any]]
) -> Iterator[Violation]:
    found = [event.position for event in events]
    if answer.word == "accepted":
        first, last = answer.first or (found[0] if found else 0), answer.last or 0
        if not found or (answer.last and found != [*range(first, last + 1)]):
            detail = f"answered with {answer.first}-{answer.last}, the store has {found}"
            yield Violation(rule="acknowledged events lost", about=_name(said), detail=detail)
    elif found:
        detail = f"answered {answer.word}, the store has {found}"
        yield Violation(rule="events of a refused command", about=_name(said), detail=detail)
    if verdict is None:
        if said.command is not None and said.via == "kafka":
            detail = f"answered {answer.word}"
            yield Violation(rule="no verdict", about=_name(said), detail=detail)
    elif (what := _differs(answer, verdict)) is not None:
        yield Violation(rule="answer is not the verdict", about=_name(said), detail=what)


def _differs(answer: Answer, verdict: Verdict) -> str | None:
    problem = verdict.problem and verdict.problem["type"]
    pairs: Sequence[tuple[str, object, object]] = [
        ("outcome", answer.word, verdict.outcome),
        ("problem", answer.problem, problem),
        ("version", answer.version, verdict.version if answer.word != "refused" else None),
        ("stream", answer.stream, verdict.stream),
    ]
    for name, told, stands in pairs:
        if told is not None and told != stands:
            return f"{name} was told as {told}, the verdict says {stands}"
    return None


def audit_subscriber(books: Books, seen: Sequence[Seen], who: str) -> Iterator[Violation]:
    """Check that each event was seen once, as it was recorded, each stream in its order."""
    times = Counter(each.position for each in seen)
    for position, count in times.items():
        if count > 1:
            yield Violation(rule=f"doubled for {who}", about=f"position {position}")
    for event in books.events:
        if event.position not in times:
            yield Violation(rule=f"lost for {who}", about=f"position {event.position}")
    last: dict[tuple[str, int], Position] = {}
    versions: dict[Stream, int] = {}
    for each in seen:
        about = f"position {each.position} of {each.key}"
        if last.get(each.place, 0) >= each.position:
            yield Violation(rule=f"disordered for {who}", about=about)
        if versions.get(each.key, 0) + 1 != each.version:
            yield Violation(rule=f"out of stream order for {who}", about=about)
        last[each.place], versions[each.key] = each.position, each.version
        if (what := _altered(books, each)) is not None:
            yield Violation(rule=f"altered for {who}", about=about, detail=what)


def _altered(books: Books, seen: Seen) -> str | None:
    if not 0 < seen.position <= len(books.events):
        return "is no position of the store"
    event = books.events[seen.position - 1]
    if (seen.id, seen.type, seen.key) != (event.id, event.type, event.stream):
        return f"is {seen.id} {seen.type}, the store has {event.id} {event.type} {event.stream}"
    if isinstance(event.event, Erased):
        return None
    stored = books.registry.type_of(event.stream, event.event).encode(event.event)
    if msgspec.json.decode(seen.value) != msgspec.json.decode(stored):
        return f"carries {seen.value[:200]!r}, the store has {stored[:200]!r}"
    return None


def summary(violations: Iterable[Violation]) -> Mapping[str, int]:
    """Return how often each rule was broken."""
    return Counter(violation.rule for violation in violations)


def _name(said: Said) -> str:
    return f"command {said.command}" if said.command else f"request {said.request}"
