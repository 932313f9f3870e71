"""What a chaos run has left behind: counted, and compared with what was promised."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from treering.app import App
from treering.bus import Client, Topics
from treering.bus.partitions import partition_of
from treering.errors import BusError, StoreError
from treering.message import Position
from treering.projection import Projection
from treering.reading import ReadModels
from treering.store import Reader
from treering.testing.audit import Books, Violation, audit_answers, audit_store, audit_subscriber
from treering.testing.ledger import Ledger
from treering.testing.replay import Replay, audit_entities, audit_read_models
from treering.testing.subscriber import Subscriber

_PATIENCE = 90.0
_WORDS = ("accepted", "refused", "nothing", "unanswered")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoning:
    """What was counted, and every promise that was not kept."""

    counts: Mapping[str, int]
    violations: Sequence[Violation]

    @classmethod
    async def of(
        cls, app: App, kafka: str, reader: Reader, ledger: Ledger, live: Subscriber
    ) -> "Reckoning":
        """Wait until everything has reached the head, and compare it all.

        Nobody may write any more. *live* has followed the events from the beginning.
        """
        head = (await reader.head()).position
        models = ReadModels(reader, app.projections)
        found = await _behind(app, models, head)
        late = Subscriber(kafka, events_topics(app))
        await asyncio.gather(live.reach(head, _PATIENCE), late.reach(head, _PATIENCE))
        books = await Books.read(reader, app.registry, ledger)
        found += [*audit_store(books), *audit_answers(books, ledger)]
        found += audit_subscriber(books, live.seen, "the live subscriber")
        found += audit_subscriber(books, late.seen, "the late subscriber")
        replay = Replay(books, ledger)
        found += replay.audit()
        found += await audit_read_models(books, models, app.projections)
        found += audit_entities(books, _own(app))
        await models.close()
        counts = {**_answers(ledger), **_silence(ledger, books), "decided-again": replay.decided}
        seen = {"events": head, "subscriber": len(live.seen), "late-subscriber": len(late.seen)}
        return cls(counts={**counts, **seen}, violations=found)


def events_topics(app: App) -> Sequence[str]:
    """Return the topics of all events of *app*."""
    topics = Topics(app.namespace)
    return [topics.events(kind) for kind in app.registry.deciders]


async def settle(client: Client, reader: Reader, partitions: int) -> None:
    """Return once every command that Kafka holds is decided, and nothing comes any more.

    In each of the *partitions* whatever was there before is decided when a later command is.
    """
    names = (f"station/last-{number}" for number in range(100 * partitions))
    subjects = {partition_of(name, partitions): name for name in names}
    deadline, head = time.monotonic() + _PATIENCE, -1
    while time.monotonic() < deadline:
        try:
            for subject in subjects.values():
                await client.ask("station.delete.v1", {}, subject=subject)
            found = (await reader.head()).position
        except (BusError, StoreError):
            continue
        if found == head:
            return
        head = found
        await asyncio.sleep(1)
    raise TimeoutError("Commands are not answered although everything runs again.")


async def _behind(app: App, models: ReadModels, head: Position) -> list[Violation]:
    """Wait until the read models show *head*; return those that never do."""
    shown = [await models.wait(each.name, head, _PATIENCE) for each in app.projections]
    return [
        Violation(rule="read model is behind", about=projection.name)
        for projection, is_there in zip(app.projections, shown, strict=True)
        if not is_there
    ]


def _own(app: App) -> Mapping[str, Projection]:
    """Return the read model of each kind that has one of its own."""
    named = {projection.name: projection for projection in app.projections}
    declared = [entity.declaration for entity in app.entities]
    return {each.kind: named[each.plural] for each in declared}


def _answers(ledger: Ledger) -> Mapping[str, int]:
    """Return how many commands were answered how, and how they were said."""
    counts = ledger.counts()
    return {
        "lines": len(ledger.lines),
        "over-http": sum(said.via == "http" for said in ledger),
        **{word: counts.get(word, 0) for word in _WORDS},
        "taken-unheard": sum(said.is_taken for said in ledger),
        "id-reused": sum(said.is_reused for said in ledger),
    }


def _silence(ledger: Ledger, books: Books) -> Mapping[str, int]:
    """Return what has become of the commands that nobody was answered."""
    counts: Counter[str] = Counter()
    for lines in ledger.by_command().values():
        if any(said.answer for said in lines):
            continue
        verdict = books.verdicts.get(lines[0].command or "")
        counts[f"unanswered-{verdict.outcome if verdict else 'none'}"] += 1
    return dict(sorted(counts.items()))
