"""A store, somebody who folds it, and somebody who reads what was folded."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import asyncpg
import pytest

from tests.projection.world import COUNTS, PARCELS, REGISTRY
from treering.projection import Projection, Projector, ProjectorOptions
from treering.projection.ground import Ground
from treering.reading import ReadModels
from treering.store import Reader, Store

type Folding = Callable[..., AbstractAsyncContextManager[None]]


@pytest.fixture
def ground(store: Store) -> Ground:
    return Ground(reader=store, registry=REGISTRY, namespace=store.namespace)


@pytest.fixture
async def connection(ground: Ground) -> AsyncGenerator[asyncpg.Connection]:
    """Open a connection that may write read models."""
    async with ground.connection() as opened:
        yield opened


@pytest.fixture
async def models(reader: Reader) -> AsyncGenerator[ReadModels]:
    """Read parcels and counts as the gateway does."""
    opened = ReadModels(reader, [PARCELS, COUNTS])
    yield opened
    await opened.close()


@pytest.fixture
def folding(store: Store) -> Folding:
    """Return a context in which a projector runs."""

    @asynccontextmanager
    async def running(
        projections: Sequence[Projection] = (PARCELS, COUNTS),
        **how: Any,
    ) -> AsyncGenerator[None]:
        stop = asyncio.Event()
        projector = Projector(
            store,
            REGISTRY,
            projections,
            namespace=store.namespace,
            options=ProjectorOptions(**how),
        )
        running = asyncio.create_task(projector.run(stop))
        try:
            yield
        finally:
            stop.set()
            async with asyncio.timeout(10):
                await running

    return running
