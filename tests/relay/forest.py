"""Something to send: streams of two kinds that grow, without any rules."""

from datetime import UTC, datetime

from treering import ulid
from treering.entity import Entity
from treering.message import Verdict
from treering.registry import Registry
from treering.store import Appended, Entry, Origin, Request, Ruling, Stand, Store


class Tree(Entity):
    """Grows."""

    height: int = 0


class Ring(Entity):
    """Grows as well."""

    width: int = 0


REGISTRY = Registry([Tree.decider(), Ring.decider()])
KINDS = [*REGISTRY.deciders]


class Forest:
    """Appends events to a few streams of each kind, in turn."""

    def __init__(self, store: Store, *, streams: int = 3) -> None:
        self._store = store
        self._streams = [f"{kind}/{n}" for n in range(streams) for kind in KINDS]
        self._versions: dict[str, int] = dict.fromkeys(self._streams, 0)
        self.position = 0

    async def grow(self, count: int, *, at_once: int = 1) -> None:
        """Append *count* events, so many in a request."""
        for n in range(0, count, at_once):
            stream = self._streams[(self.position // at_once) % len(self._streams)]
            await self.add(stream, *[f'{{"n":{self.position + 1}}}'] * min(at_once, count - n))

    async def add(self, stream: str, *bodies: str, type: str = "updated") -> None:
        """Append an event for each of *bodies* to *stream*."""
        version = self._versions.get(stream, 0)
        self._versions[stream] = version + len(bodies)
        command = ulid.new()
        origin = Origin(
            command=command,
            time=datetime(2026, 1, 1, 12, tzinfo=UTC),
            tenant="default",
            actor="ann",
            correlation="because",
            traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )
        name = f"{stream.partition('/')[0]}.{type}.v1"
        entries = [
            Entry(stream, version + n, name, body, origin) for n, body in enumerate(bodies, 1)
        ]
        ruling = Ruling(
            Verdict(
                id=command,
                fingerprint=b"f" * 16,
                outcome="accepted",
                stream=stream,
                version=version + len(bodies),
            ),
            1,
            len(bodies),
        )
        stand = Stand(stream, version, version + len(bodies))
        last = version + len(bodies)
        erased = [Stand(stream, last, last)] if type == "purged" else []
        answer = await self._store.append(
            Request(stands=[stand], rulings=[ruling], entries=entries, erased=erased)
        )
        assert isinstance(answer, Appended), answer
        self.position += len(bodies)
