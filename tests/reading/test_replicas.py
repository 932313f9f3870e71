"""Reading from databases that follow: never older than what was waited for, and never alone."""

import asyncio
import os
from collections.abc import AsyncGenerator, Generator
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.projection.conftest import Folding
from tests.projection.world import PARCELS, append, fields, shown
from tests.replica import replica
from treering.embedded import Addresses
from treering.embedded.postgres import Postgres
from treering.entity import Created, Updated
from treering.message import Position
from treering.query import QueryOptions
from treering.reading import ReadModels, Replicas
from treering.reading.cache import cache_of
from treering.store import Reader, Store
from treering.store.connecting import url_for

DELAY = 500
pytestmark = pytest.mark.skipif(
    "TREERING_TEST_DATABASE" in os.environ, reason="a server of others is not followed"
)


@pytest.fixture(scope="module")
def follower(servers: Addresses) -> Generator[Postgres]:
    folder = Path(mkdtemp(prefix="treering-"))
    with replica(servers.database, folder, delay=DELAY) as started:
        yield started


@pytest.fixture
async def replicas(reader: Reader, follower: Postgres) -> AsyncGenerator[Replicas]:
    """Open it, once it has what the test's store is made of."""
    url = url_for(follower.url, "treering_reader")
    opening = partial(Reader.open, url, namespace=reader.namespace, retry_seconds=10)
    found = Replicas(reader, [opening])
    found.start()
    async with asyncio.timeout(20):
        while not found.count:
            await asyncio.sleep(0.02)
    yield found
    await found.close()


async def weigh(store: Store, weight: int) -> Position:
    """Make the only parcel, or change its weight; return the position."""
    if weight == 1:
        return await append(store, "parcel/a", Created(fields=fields("a", weight=1.0)))
    event = Updated(fields={"weight": float(weight)})
    return await append(store, "parcel/a", event, after=weight - 1)


async def seen(models: ReadModels) -> list[float]:
    """Return the weight as a row and as a list show it."""
    listed = shown((await models.list("parcels", QueryOptions(limit=1))).items)
    found = await models.get("parcels", "a")
    return [row["weight"] for row in [*([shown(found)] if found else []), *listed]]


@pytest.mark.parametrize("keeps", [False, True], ids=["without a cache", "with a cache"])
async def test_what_was_waited_for_is_seen_although_the_replica_is_behind(
    store: Store, reader: Reader, replicas: Replicas, folding: Folding, *, keeps: bool
) -> None:
    cache = cache_of("memory", namespace=reader.namespace, megabytes=1, seconds=60)
    models = ReadModels(reader, [PARCELS], replicas=replicas, cache=cache if keeps else None)
    models.announce()
    async with folding([PARCELS]):
        for weight in range(1, 30):
            position = await weigh(store, weight)
            assert await models.wait("parcels", position, 20)
            assert await asyncio.gather(*(seen(models) for _ in range(5))) == [[weight] * 2] * 5
    await models.close()


async def test_who_waited_for_nothing_is_answered_by_the_replica(
    store: Store, reader: Reader, replicas: Replicas, folding: Folding
) -> None:
    primary = ReadModels(reader, [PARCELS])
    models = ReadModels(reader, [PARCELS], replicas=replicas)

    async def waits(position: Position) -> None:
        assert await models.wait("parcels", position, 20)

    weight = 1
    async with folding([PARCELS]), asyncio.timeout(30):
        await asyncio.create_task(waits(await weigh(store, weight)))
        while weight < 2 or all(each == weight for each in await seen(models)):
            weight += 1
            await asyncio.create_task(waits(await weigh(store, weight)))
        assert await seen(primary) == [weight] * 2
        while await seen(models) != [weight] * 2:
            await asyncio.sleep(0.02)
    for each in (primary, models):
        await each.close()


async def test_the_primary_answers_where_no_replica_does(
    store: Store, reader: Reader, folding: Folding
) -> None:
    away = partial(
        Reader.open,
        "postgresql://nobody@127.0.0.1:1/none",
        namespace=reader.namespace,
        retry_seconds=0.1,
    )
    replicas = Replicas(reader, [away])
    replicas.start()
    models = ReadModels(reader, [PARCELS], replicas=replicas)
    async with folding([PARCELS]):
        assert await models.wait("parcels", await weigh(store, 1), 20)
        assert await seen(models) == [1.0, 1.0]
    await replicas.close()
    await models.close()


async def test_a_replica_that_fails_is_left_out(
    store: Store,
    reader: Reader,
    replicas: Replicas,
    follower: Postgres,
    folding: Folding,
) -> None:
    models = ReadModels(reader, [PARCELS], replicas=replicas)
    async with folding([PARCELS]):
        assert await models.wait("parcels", await weigh(store, 1), 20)
        assert await seen(models) == [1.0, 1.0]
    follower.stop()
    assert await asyncio.gather(*(seen(models) for _ in range(5))) == [[1.0, 1.0]] * 5
    await models.close()
