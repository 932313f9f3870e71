"""Take what is on Kafka for sent: how an operator lets the relay go on when it will not guess."""

from collections.abc import Sequence

import msgspec

from treering.bus.topics import Topics
from treering.errors import RelayStopped
from treering.message import Position
from treering.relay.checkpoint import Checkpoint, moved
from treering.relay.common import common
from treering.relay.log import Log
from treering.relay.outbox import Outbox
from treering.relay.packing import Parcel
from treering.relay.resume import Resumption
from treering.relay.sent import standing, stored_ids
from treering.relay.turn import between_relays
from treering.sql import statement
from treering.store import Reader
from treering.store.connecting import connect, quoted, schema_of, translated


async def adopt(
    kafka: str,
    store: Reader,
    *,
    kinds: Sequence[str],
    owner: str,
    position: Position | None = None,
) -> Checkpoint:
    """Write the checkpoint that says: events up to *position* were sent, go on from there.

    Without *position* that is the newest event that Kafka and the store both have. When Kafka
    holds others that the store does not, the store gets a new epoch, as the database's *owner*:
    by that subscribers see that what follows does not continue those. Raises RelayStopped while a
    relay is at work.
    """
    topics = Topics(store.namespace)

    async def work() -> Checkpoint:
        async with Outbox.open(kafka, topics) as outbox, Log.open(kafka) as log:
            resumption = Resumption(kafka, store, log, topics)
            await resumption.end_all(outbox, kinds)
            mark = await _agreed(resumption, log, store, kinds, owner)
            if position is not None:
                mark = await _at(store, mark, position)
            return await outbox.send(Parcel(), mark)

    return await between_relays(store, topics, work)


async def _agreed(
    resumption: Resumption, log: Log, store: Reader, kinds: Sequence[str], owner: str
) -> Checkpoint:
    """Return the checkpoint up to which Kafka and the store agree."""
    known = await resumption.known(kinds, await resumption.checkpoint())
    partitions = resumption.partitions(kinds, known)
    agreed = await common(log, store, partitions)
    epoch = (await store.head()).epoch
    if epoch in agreed.epochs:
        epoch = await _change_epoch(owner, store.namespace)
    return msgspec.structs.replace(
        moved(known, await standing(log, partitions)),
        position=agreed.position,
        event=agreed.event,
        epoch=epoch,
        apart=(),
    )


async def _at(store: Reader, mark: Checkpoint, position: Position) -> Checkpoint:
    """Return *mark* moved to *position*."""
    event = (await stored_ids(store, [position])).get(position)
    if event is None and position != 0:
        raise RelayStopped(
            f"The store has no event at position {position}; give `treering relay adopt` one "
            "that it has."
        )
    return msgspec.structs.replace(mark, position=position, event=event)


async def _change_epoch(owner: str, namespace: str) -> str:
    connection = await connect(owner, settings={"search_path": quoted(schema_of(namespace))})
    try:
        with translated():
            return await connection.fetchval(statement("change_epoch"))
    finally:
        await connection.close()
