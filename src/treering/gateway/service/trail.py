"""What happened, asked of the events themselves: a stretch of them at a time, the newest first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from treering.breath import Breath
from treering.decider import Representation
from treering.errors import UnknownMessage, UpcastFailed
from treering.gateway.entities.past import told
from treering.message import Position, Stored, Stream, Version
from treering.registry import Registry
from treering.sql import statement
from treering.store import Reader
from treering.store.reader import stored_of

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
"""Before any event; the earliest moments of all can not be moved."""
_STRETCH = 20_000
"""Positions that are looked at for one answer, when little of what is there is asked for."""
_PAGE = 500
_DEEPEST = 2_000
"""Versions of one entity that are folded to tell what one of them changed."""
_ENDLESS = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whose and which changes; None: all."""

    actor: str | None = None
    entity: Stream | None = None
    kind: str | None = None
    type: str | None = None
    request: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: Position | None = None
    size: int = 20

    @property
    def is_narrow(self) -> bool:
        """Whether some of the events that are looked at may not be meant."""
        return any((self.actor, self.kind, self.type, self.request))


class Trail:
    """Reads events as who did what, and tells what each has changed."""

    def __init__(self, reader: Reader, registry: Registry) -> None:
        self._reader = reader
        self._registry = registry

    async def find(self, wanted: Wanted) -> tuple[Sequence[Stored], Position | None]:
        """Return some of what is wanted, and before which position to go on; None: that is all.

        There may be fewer than wanted, or none, and more to come: a bounded stretch is looked at.
        """
        low, high = await self._bounds(wanted)
        head = (await self._reader.head()).position
        high = min(high, head + 1)
        lowest = low
        if wanted.is_narrow and wanted.entity is None:
            lowest = max(low, high - 1 - _STRETCH)
        rows = await self._rows(wanted, high, lowest)
        found = [stored_of(row) for row in rows[: wanted.size]]
        if len(rows) > wanted.size:
            return found, found[-1].position
        return found, lowest + 1 if lowest > low else None

    async def changes(self, events: Iterable[Stored]) -> Mapping[Position, Mapping[str, Any]]:
        """Return what each of *events* changed, by position, with all else that there is to say."""
        upto: dict[Stream, Version] = {}
        wanted: dict[Stream, set[Version]] = {}
        for each in events:
            if each.version <= _DEEPEST:
                upto[each.stream] = max(each.version, upto.get(each.stream, 0))
                wanted.setdefault(each.stream, set()).add(each.version)
        found: dict[Position, Mapping[str, Any]] = {}
        for stream, last in upto.items():
            found |= await self._folded(stream, last, wanted[stream])
        return found

    async def _bounds(self, wanted: Wanted) -> tuple[Position, Position]:
        """Return the positions between which is all that may be wanted, themselves left out."""
        low, high = 0, wanted.before or _ENDLESS
        if wanted.since is not None:
            low = await self._last_at(max(wanted.since, _FIRST) - timedelta(microseconds=1))
        if wanted.until is not None:
            high = min(high, await self._last_at(wanted.until) + 1)
        return low, high

    async def _last_at(self, moment: datetime) -> Position:
        rows = await self._reader.fetch(statement("position_at"), moment.astimezone(UTC))
        return rows[0][0] if rows else 0

    async def _rows(self, wanted: Wanted, high: Position, low: Position) -> Sequence[Any]:
        size = wanted.size + 1
        between = high, low, wanted.actor, wanted.entity
        if wanted.entity is not None:
            sql = statement("audit_stream")
            return await self._reader.fetch(sql, *between, wanted.type, wanted.request, size)
        more = wanted.kind, wanted.type, wanted.request, size
        return await self._reader.fetch(statement("audit"), *between, *more)

    async def _folded(
        self, stream: Stream, last: Version, versions: set[Version]
    ) -> Mapping[Position, Mapping[str, Any]]:
        """Return what these *versions* changed; what a newer release wrote is left out."""
        found: dict[Position, Mapping[str, Any]] = {}
        try:
            decider = self._registry.decider_of(stream)
            state, shown = decider.initial, decider.represent(stream, decider.initial)
            after, breath = 0, Breath()
            while after < last:
                page = await self._reader.read_stream(
                    stream, after=after, upto=min(last, after + _PAGE)
                )
                for stored in page:
                    recorded = self._registry.recorded(stored)
                    state = decider.fold(state, [recorded])
                    before: Representation | None = shown
                    shown = decider.represent(stream, state)
                    if stored.version in versions:
                        found[stored.position] = told(recorded, before, shown)
                    await breath.take()
                after += _PAGE
        except (UnknownMessage, UpcastFailed):
            return found
        return found
