"""What a small service did on a real store, and what it answered: to be audited."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from treering.entity import Entity
from treering.handling import Handling
from treering.message import Command, Event, Received, Recorded
from treering.projection import Projection
from treering.registry import Registry
from treering.store import Store
from treering.testing.audit import (
    Books,
    Violation,
    audit_answers,
    audit_store,
    audit_subscriber,
)  # fmt: skip
from treering.testing.ledger import Answer, Ledger, Said
from treering.testing.replay import Replay
from treering.testing.subscriber import Seen

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Well(Entity, unique={"name"}):
    """Holds water."""

    name: str
    depth: int = 0


REGISTRY = Registry([Well.decider()])
WELLS = Projection.of(Well)


class History:
    """Everything that can be compared: the store's books, the ledger, what a subscriber saw."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.events: list[Recorded[Any]] = []
        self.verdicts: dict[str, Any] = {}
        self.seen: list[Seen] = []

    @classmethod
    async def lived(cls, store: Store) -> "History":
        """Let something happen: creates, changes, refusals, nothing to do, a reused id, a purge."""
        history, handling = cls(), Handling(store, REGISTRY)
        for said in _SAID:
            (outcome,) = await handling.handle([_received(said)])
            history.ledger.note(replace(said, answer=Answer.of(outcome)))
        history.ledger.note(replace(_SAID[1], answer=None))
        books = await Books.read(store, REGISTRY, history.ledger)
        history.events, history.verdicts = [*books.events], {**books.verdicts}
        history.seen = [_seen(event) for event in books.events]
        return history

    @property
    def books(self) -> Books:
        """The books as they stand now."""
        return Books(
            registry=REGISTRY,
            head=len(self.events),
            events=self.events,
            verdicts=self.verdicts,
        )

    def violations(self) -> Sequence[Violation]:
        """Audit all of it."""
        books = self.books
        return [
            *audit_store(books),
            *audit_answers(books, self.ledger),
            *audit_subscriber(books, self.seen, "them"),
            *Replay(books, self.ledger).audit(),
        ]

    def broken(self) -> set[str]:
        """Return the rules that were broken."""
        return {violation.rule for violation in self.violations()}

    def change(self, position: int, event: Event) -> None:
        """Have another event at *position*."""
        found = self.events[position - 1]
        self.events[position - 1] = msgspec.structs.replace(found, event=event)


def _said(command: str, word: str, subject: str, expected: int | None = None, **body: Any) -> Said:
    return Said(
        command=command,
        type=f"well.{word}.v1",
        subject=f"well/{subject}",
        expected=expected,
        body=body,
    )


_SAID = (
    _said("c1", "create", "a", name="deep", depth=3),
    _said("c2", "update", "a", depth=4),
    _said("c3", "update", "a", depth=4),
    _said("c4", "create", "b", name="deep"),
    _said("c5", "create", "b", name="dry"),
    _said("c6", "update", "a", 1, depth=5),
    _said("c7", "tag", "a", tags=["old"]),
    _said("c2", "update", "a", depth=9),
    _said("c8", "create", "c", name="gone"),
    _said("c9", "purge", "c"),
    _said("c10", "delete", "moon"),
)
"""Said one after the other; the second is said again in the end, and nobody hears the answer."""


def _received(said: Said) -> Received[Any]:
    command: Command = REGISTRY.commands[said.type].decode(msgspec.json.encode(said.body))
    return Received(
        id=said.command or "",
        type=said.type,
        stream=said.subject or "",
        command=command,
        now=NOW,
        time=NOW,
        expected=said.expected,
        correlation=said.command or "",
        fingerprint=said.fingerprint or b"",
    )


def _seen(event: Recorded[Any]) -> Seen:
    body: Mapping[str, Any] = {}
    if event.type in REGISTRY.events and type(event.event) in _BODIES:
        body = msgspec.json.decode(REGISTRY.type_of(event.stream, event.event).encode(event.event))
    return Seen(
        place=("t.events.well", 0),
        offset=event.position,
        key=event.stream,
        position=event.position,
        version=event.version,
        id=event.id,
        type=event.type,
        value=msgspec.json.encode(body),
    )


_BODIES = {kind.body for kind in REGISTRY.events.values()}
