"""Whose turn it is: one relay, or one operator, at a time."""

import asyncio
from collections.abc import Awaitable, Callable

from treering.bus.topics import Topics
from treering.errors import RelayStopped
from treering.store import Reader
from treering.store.lock import alone

_PATIENCE_SECONDS = 15.0


def turn_name(topics: Topics) -> str:
    """Return the name of the lock that whoever sends events has."""
    return f"treering {topics.namespace} relay"


async def between_relays[T](store: Reader, topics: Topics, work: Callable[[], Awaitable[T]]) -> T:
    """Await *work* while no relay is at work; raises RelayStopped if one stays at it."""
    patience = asyncio.timeout(_PATIENCE_SECONDS)

    async def begun() -> T:
        patience.reschedule(None)
        return await work()

    try:
        async with patience:
            return await alone(store.url, turn_name(topics), begun)
    except TimeoutError as error:
        if not patience.expired():
            raise
        raise RelayStopped(
            f"A relay of {topics.namespace!r} is at work: `treering relay adopt` and `treering "
            "relay republish` to a live topic are for when it has stopped."
        ) from error
