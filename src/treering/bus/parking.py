"""Commands that only a newer release understands: set down, and taken up by one that knows them.

Their records wait in the store, so that nothing on Kafka waits behind them. A handler of the newer
release decides them as if they had just been read, with their own ids and times.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

import structlog
from aiokafka import ConsumerRecord

from treering import metrics
from treering.bus.envelope import append_time
from treering.bus.kafka import Record
from treering.errors import NewerCommand
from treering.message import EPOCH
from treering.registry import Registry
from treering.schema import SchemaRegistry
from treering.store import Reader
from treering.store.parked import Parked, park, parked, unpark

_log = structlog.stdlib.get_logger(__name__)
_ANY = 2**31 - 1
"""Where revisions are not kept every one is known."""
_MILLISECOND = timedelta(milliseconds=1)


class Parking:
    """Sets commands down, and says which of those set down are known here."""

    def __init__(self, store: Reader, registry: Registry, schemas: SchemaRegistry) -> None:
        self._store = store
        names = [*registry.commands, *registry.older]
        self._known: Mapping[str, int] = {name: schemas.revision(name) or _ANY for name in names}

    async def set_down(self, record: Record, newer: NewerCommand) -> None:
        """Keep *record* until a handler comes that knows its type and revision."""
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
        metrics.parked.labels(newer.type).inc()
        _log.info(
            "a command waits for a newer handler",
            command=newer.command,
            type=newer.type,
            revision=newer.revision,
        )

    async def waiting(self) -> list[Parked]:
        """Return the oldest of those set down that can be decided here."""
        return await parked(self._store, self._known)

    async def forget(self, settled: Parked) -> None:
        """Forget one that has its verdict now."""
        await unpark(self._store, settled)


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
