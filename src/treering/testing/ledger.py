"""What was said to a service and what it answered: one line for each time somebody spoke."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from treering.bus.signature import fingerprint
from treering.message import Outcome, OutcomeWord, Position, Stream, Version

_encode = msgspec.json.Encoder().encode

type Via = Literal["kafka", "http"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one asker was told; None is what it was not told."""

    word: OutcomeWord
    stream: Stream | None = None
    version: Version | None = None
    first: Position | None = None
    last: Position | None = None
    problem: str | None = None
    """The type of the problem, if it was refused."""
    entity: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, outcome: Outcome) -> "Answer":
        """Return what *outcome* tells."""
        first, last = outcome.positions or (None, None)
        return cls(
            word=outcome.outcome,
            stream=outcome.stream,
            version=outcome.version,
            first=first,
            last=last,
            problem=outcome.problem["type"] if outcome.problem else None,
            entity=outcome.entity,
        )


@dataclass(slots=True, kw_only=True, eq=False)
class Said:
    """One time that somebody spoke; None as the answer: nothing was heard."""

    type: str
    body: Mapping[str, Any]
    subject: Stream | None = None
    expected: Version | None = None
    via: Via = "kafka"
    command: str | None = None
    """The command's id; None if it was said over HTTP, which has not told it."""
    request: str | None = None
    """What its events carry as their correlation, if it was said over HTTP."""
    by_address: bool = False
    """Whether it was said by an entity's own address, which makes the command out of it."""
    is_taken: bool = False
    """Whether Kafka has acknowledged it: then it will be decided, heard or not."""
    answer: Answer | None = None

    @property
    def fingerprint(self) -> bytes | None:
        """Return what the verdict of exactly this carries; None if others have put it in words."""
        if self.by_address:
            return None
        expected = "" if self.expected is None else str(self.expected)
        words = (self.type.encode(), (self.subject or "").encode(), expected.encode())
        return fingerprint([*words, _encode(self.body)])

    @property
    def is_reused(self) -> bool:
        """Whether it was told that its id belongs to another command."""
        return self.answer is not None and self.answer.problem == "urn:treering:error:id-reused"


@dataclass(slots=True)
class Ledger:
    """All that was said, in order."""

    lines: list[Said] = field(default_factory=list[Said])

    def note(self, said: Said) -> Said:
        """Write down what is about to be said."""
        self.lines.append(said)
        return said

    def counts(self) -> Mapping[str, int]:
        """Return how many commands had each kind of answer; those said twice count once."""
        return Counter(_word(lines) for lines in self.by_command().values())

    def by_command(self) -> Mapping[str, Sequence[Said]]:
        """Return the lines of each command, by its id or, without one, by its request."""
        found: dict[str, list[Said]] = {}
        for said in self.lines:
            found.setdefault(said.command or said.request or "", []).append(said)
        return found

    def __iter__(self) -> Iterator[Said]:
        return iter(self.lines)


def _word(lines: Sequence[Said]) -> str:
    words = {said.answer.word for said in lines if said.answer and not said.is_reused}
    return next(iter(words), "unanswered")
