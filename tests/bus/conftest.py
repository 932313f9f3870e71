"""A bus of its own for each test: topics, a store, a handler, a client."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import pytest

from tests.bus.kinds import REGISTRY
from treering.bus import Client, Handler, HandlerOptions, Topics, create_topics
from treering.bus.removal import on_kafka, remove
from treering.embedded import Addresses
from treering.handling import Handling
from treering.store import Store

SECRET = b"only for tests"

type Handlers = Callable[..., AbstractAsyncContextManager[Handler]]


@pytest.fixture
async def names(servers: Addresses, namespace: str) -> AsyncGenerator[Topics]:
    """Return the names of the test's topics, which are gone afterwards: a broker bears so many."""
    topics = Topics(namespace)
    yield topics
    found = await on_kafka(servers.kafka, topics)
    # A handler that was killed is a member until its session is over; its group is left to Kafka.
    await remove(servers.kafka, replace(found, groups=[] if found.members else found.groups))


@pytest.fixture
async def topics(servers: Addresses, names: Topics) -> Topics:
    """Make the test's topics."""
    await create_topics(servers.kafka, names, [*REGISTRY.deciders], partitions=4, replication=1)
    return names


@pytest.fixture
def handlers(servers: Addresses, topics: Topics, store: Store) -> Handlers:
    """Return what runs a handler for as long as a block lasts."""

    @asynccontextmanager
    async def run(**options: object) -> AsyncGenerator[Handler]:
        handler = Handler(
            servers.kafka,
            namespace=topics.namespace,
            handling=Handling(store, REGISTRY),
            store=store,
            registry=REGISTRY,
            secret=SECRET,
            options=HandlerOptions(session_seconds=30, **options),  # type: ignore[arg-type]
        )
        stop = asyncio.Event()
        running = asyncio.create_task(handler.run(stop))
        try:
            yield handler
        finally:
            stop.set()
            await running

    return run


@pytest.fixture
async def client(servers: Addresses, topics: Topics) -> AsyncGenerator[Client]:
    """Return a client that signs."""
    async with Client(
        servers.kafka, namespace=topics.namespace, secret=SECRET, source="/test", actor="ann"
    ) as started:
        yield started
