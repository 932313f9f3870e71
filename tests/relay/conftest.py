"""A relay's surroundings: its topics, a store to read from, and relays in this process."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from tests.relay.forest import KINDS, REGISTRY, Forest
from treering.bus.topics import Topics, create_topics
from treering.embedded import Addresses
from treering.relay import Relay, RelayOptions
from treering.store import Store

type Relays = Callable[[], AbstractAsyncContextManager[Relay]]


@pytest.fixture
async def topics(servers: Addresses, namespace: str) -> Topics:
    """Make the test's topics."""
    made = Topics(namespace)
    await create_topics(servers.kafka, made, KINDS, partitions=4, replication=1)
    return made


@pytest.fixture
def forest(store: Store) -> Forest:
    return Forest(store)


@pytest.fixture
def relays(servers: Addresses, topics: Topics, store: Store) -> Relays:
    """Return what runs a relay for as long as a block lasts; raises what it raises."""

    @asynccontextmanager
    async def run() -> AsyncGenerator[Relay]:
        relay = Relay(
            servers.kafka,
            namespace=topics.namespace,
            store=store,
            registry=REGISTRY,
            options=RelayOptions(session_seconds=1),
        )
        stop = asyncio.Event()
        running = asyncio.create_task(relay.run(stop))
        try:
            yield relay
        finally:
            stop.set()
            await running

    return run
