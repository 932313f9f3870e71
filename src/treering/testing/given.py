"""Given what happened, when somebody wants something, then this follows; no server is started.

given = of(Dataset)

def test_a_deleted_dataset_cannot_be_updated():
    given(Created(fields=rain), Deleted()).when(Update(fields={"rows": 3})).refuses(IsDeleted)
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from treering.decider import Decider, decided
from treering.entity import Entity
from treering.errors import Refusal
from treering.message import Command, Event, Received, Recorded, Stream
from treering.registry import Registry

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

type Said = Event | tuple[Stream, Event]
"""An event of the test's stream, or of another one."""


class When:
    """What was decided."""

    def __init__(
        self, subject: Stream, outcome: Mapping[Stream, Sequence[Event]] | Refusal
    ) -> None:
        self._subject = subject
        self.outcome = outcome

    def then(self, *events: Said) -> None:
        """Assert that exactly *events* follow, in each stream in this order."""
        expected: dict[Stream, list[Event]] = {}
        for said in events:
            stream, event = said if isinstance(said, tuple) else (self._subject, said)
            expected.setdefault(stream, []).append(event)
        assert not isinstance(self.outcome, Refusal), f"refused: {self.outcome.detail}"
        found = {stream: list(each) for stream, each in self.outcome.items()}
        assert found == expected, f"found {found}, expected {expected}"

    def nothing(self) -> None:
        """Assert that there is nothing to do."""
        self.then()

    def refuses(self, refusal: type[Refusal], *paths: str) -> Refusal:
        """Assert that it is refused so, for faults at exactly *paths* if given; return why."""
        assert isinstance(self.outcome, refusal), f"found {self.outcome!r}, expected {refusal}"
        if paths:
            found = {error["path"] for error in self.outcome.members.get("errors", [])}
            assert found == set(paths), f"faults at {found}, expected {set(paths)}"
        return self.outcome


class Given:
    """What has happened so far."""

    def __init__(self, registry: Registry, subject: Stream, events: Sequence[Said]) -> None:
        self._registry = registry
        self._subject = subject
        self.recorded = record(registry, subject, events)

    def when(
        self,
        command: Command,
        *,
        stream: Stream | None = None,
        now: datetime = NOON + timedelta(hours=1),
        actor: str = "test",
    ) -> When:
        """Decide *command* on the test's stream, or on *stream*."""
        subject = stream or self._subject
        decider = self._registry.decider_of(subject)
        received = Received(
            id="command",
            type=self._registry.type_of(subject, command).name,
            stream=subject,
            command=command,
            now=now,
            time=now,
            actor=actor,
            correlation="command",
        )
        concerned = [subject, *(decider.concerns(received) if decider.concerns else ())]
        states = {each: self.state(each) for each in concerned}
        return When(subject, decided(decider, states, received))

    def state(self, stream: Stream | None = None) -> Any:
        """Return the state that the events make of the test's stream, or of *stream*."""
        subject = stream or self._subject
        decider = self._registry.decider_of(subject)
        mine = [each for each in self.recorded if each.stream == subject]
        return decider.fold(decider.initial, mine)


def of(*kinds: type[Entity] | Decider[Any], stream: Stream | None = None) -> Callable[..., Given]:
    """Return a `given` for streams of *kinds*; about *stream*, or one of the first kind."""
    deciders = [each if isinstance(each, Decider) else each.decider() for each in kinds]
    subject = stream or f"{deciders[0].kind}/1"
    return lambda *events: Given(Registry(deciders), subject, events)


def record(
    registry: Registry, subject: Stream, events: Sequence[Said], *, start: datetime = NOON
) -> list[Recorded[Any]]:
    """Return *events* as the store would have recorded them, a second apart."""
    versions: dict[Stream, int] = {}
    recorded: list[Recorded[Any]] = []
    for position, said in enumerate(events, 1):
        stream, event = said if isinstance(said, tuple) else (subject, said)
        versions[stream] = versions.get(stream, 0) + 1
        at = start + timedelta(seconds=position)
        recorded.append(
            Recorded(
                position=position,
                stream=stream,
                version=versions[stream],
                id=f"event-{position}",
                type=registry.type_of(stream, event).name,
                event=event,
                time=at,
                recorded_at=at,
                correlation=f"command-{position}",
                causation=f"command-{position}",
            )
        )
    return recorded
