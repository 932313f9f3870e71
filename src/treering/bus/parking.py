"""Commands that only a newer release understands: set down, and taken up by one that knows them.

Their records wait in the store, so that nothing on Kafka waits behind them. A handler of the newer
release decides them as if they had just been read, with their own ids and times. None waits for
ever: what nobody has come for, and what there is no room for, are dead letters.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, cast

import structlog
from aiokafka import ConsumerRecord

from treering import metrics
from treering.bus.envelope import address, append_time
from treering.bus.kafka import Record
from treering.errors import DeadLetter, NewerCommand
from treering.handling import outcome_of
from treering.message import EPOCH, Outcome
from treering.registry import Registry
from treering.schema import SchemaRegistry, split
from treering.store import Reader
from treering.store.parked import Parked, is_parked, overdue, park, size, taken_up, unpark

LONGEST = timedelta(days=21)
"""How long a command waits: less than verdicts are kept, so that it may be sent again as it is."""
MOST, MOST_BYTES = 100_000, 1_000_000_000
"""How many wait, and the bytes of their bodies; several handlers may pass it by a little."""
_LOOK_SECONDS = 5.0
"""After which it is looked up again how many wait."""
_log = structlog.stdlib.get_logger(__name__)
_ANY = 2**31 - 1
"""Where revisions are not kept every one is known."""
_MILLISECOND = timedelta(milliseconds=1)


class Parking:
    """Sets commands down, and says which of those set down are known here."""

    def __init__(
        self, store: Reader, registry: Registry, schemas: SchemaRegistry, *, most: int = MOST
    ) -> None:
        self._store = store
        self._registry = registry
        names = [*registry.commands, *registry.older]
        self._known: Mapping[str, int] = {name: schemas.revision(name) or _ANY for name in names}
        self._most = most
        self._size = 0, 0
        self._looked_at = -_LOOK_SECONDS

    async def decided(self, record: Record, newer: NewerCommand) -> Outcome | None:
        """Return the outcome of *record* if a newer handler has decided its command before."""
        verdict = (await self._store.verdicts([newer.command], newer.tenant)).get(newer.command)
        said = {address(record, subject=key).fingerprint for key in (b"", record.key or b"")}
        if verdict is None or verdict.fingerprint not in said:
            return None
        return await outcome_of(self._store, self._registry, verdict)

    async def set_down(self, record: Record, newer: NewerCommand) -> None:
        """Keep *record* until a handler comes that knows its type and revision.

        Raises DeadLetter if there is no room.
        """
        await self._require_room(record, newer)
        await park(
            self._store,
            Parked(
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                at=append_time(record),
                command=newer.command,
                type=newer.type,
                revision=newer.revision,
                key=record.key,
                value=record.value,
                headers=list(record.headers),
            ),
        )
        kind, _, word = (split(newer.type) or (newer.type, 1))[0].rpartition(".v")[0].partition(".")
        metrics.parked.labels(kind, word).inc()
        _log.info(
            "a command waits for a newer handler",
            command=newer.command,
            type=newer.type,
            revision=newer.revision,
        )

    async def _require_room(self, record: Record, newer: NewerCommand) -> None:
        if monotonic() > self._looked_at + _LOOK_SECONDS:
            self._size = await size(self._store)
            self._looked_at = monotonic()
        records, bytes_ = self._size
        is_full = records >= self._most or bytes_ >= MOST_BYTES
        if is_full and not await is_parked(self._store, newer.command):
            raise DeadLetter(
                "no-room",
                f"{newer.type} in its revision {newer.revision} is newer than the handler that has "
                f"met it, and {records} commands wait for a newer one already: send it again once "
                "that runs.",
                503,
            )
        self._size = records + 1, bytes_ + len(record.value or b"")

    def waiting(self) -> AbstractAsyncContextManager[Sequence[Parked]]:
        """Hold the first of those set down that can be decided here; see `taken_up`."""
        return taken_up(self._store, self._known)

    def overdue(self) -> AbstractAsyncContextManager[Sequence[Parked]]:
        """Hold some of those that have waited for too long and can not be decided here either."""
        return overdue(self._store, datetime.now(UTC) - LONGEST, self._known)

    async def forget(self, settled: Sequence[Parked]) -> None:
        """Forget those that are settled now."""
        await unpark(self._store, settled)


def too_long(found: Parked) -> DeadLetter:
    """Return why what was set down is set aside."""
    return DeadLetter(
        "waited-too-long",
        f"No handler that knows {found.type} in its revision {found.revision} has come for "
        f"{LONGEST.days} days; send it again once there is one.",
        503,
    )


def record_of(found: Parked) -> Record:
    """Return the record as it came."""
    return ConsumerRecord(
        found.topic,
        found.partition,
        found.offset,
        (found.at - EPOCH) // _MILLISECOND,
        1,
        found.key,
        found.value,
        None,
        len(found.key or b""),
        len(found.value or b""),
        cast("Any", tuple(found.headers)),
    )
