"""Nobody reads what is older than what they wrote, through another gateway that keeps answers."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import replace

import httpx2
import pytest
import pytest_asyncio

from tests.gateway.running import ENTITIES, Running, served
from treering import gateway, ulid
from treering.projection import Projection
from treering.reading import ReadModels
from treering.reading.cache import cache_of
from treering.testing import redis as server

pytestmark = pytest.mark.asyncio(loop_scope="module")
DATASETS = "/api/v1/datasets"


@pytest.fixture(scope="session")
def shared(request: pytest.FixtureRequest) -> str | None:
    """Start a Redis before the service, which ends itself when its loop stands still."""
    return request.getfixturevalue("redis") if server.is_there() else None


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["memory", "redis"])
async def two(
    shared: str | None, service: Running, request: pytest.FixtureRequest
) -> AsyncGenerator[list[httpx2.AsyncClient]]:
    """Serve through two more gateways, each of which keeps answers."""
    where = shared if request.param == "redis" else "memory"
    if where is None:
        pytest.skip(server.MISSING)
    async with AsyncExitStack() as stack:
        clients: list[httpx2.AsyncClient] = []
        for _ in range(2):
            cache = cache_of(where, namespace=service.reader.namespace, megabytes=1, seconds=60)
            models = ReadModels(service.reader, [*map(Projection.of, ENTITIES)], cache=cache)
            stack.push_async_callback(models.close)
            models.announce()
            async with asyncio.timeout(20):
                while not models.keeps("datasets"):
                    await asyncio.sleep(0.01)
            app = gateway.build(replace(service.parts, read_models=models))
            clients.append(await stack.enter_async_context(served(app)))
        yield clients


async def test_with_the_position_of_a_write_nothing_is_stale(
    two: list[httpx2.AsyncClient],
) -> None:
    own = f"own-{ulid.new()}"
    for number in range(60):
        writes, reads = two[number % 2], two[1 - number % 2]
        said = {"id": own, "name": own, "rows": number}
        written = await (writes.put(f"{DATASETS}/{own}", json={"rows": number})
                         if number else writes.post(DATASETS, json=said))  # fmt: skip
        token = {"Treering-Position": written.headers["Treering-Position"]}
        for _ in range(2):
            one = await reads.get(f"{DATASETS}/{own}", headers=token)
            several = await reads.get(DATASETS, params={"name": own}, headers=token)
            assert (one.json()["rows"], several.json()[0]["rows"]) == (number, number)
            assert one.headers["etag"] == written.headers["etag"]


async def test_who_has_a_kept_answer_is_not_sent_it_again(two: list[httpx2.AsyncClient]) -> None:
    made = await two[0].post(DATASETS, json={"name": ulid.new()})
    found = await two[0].get(made.headers["location"])
    kept = await two[0].get(
        made.headers["location"], headers={"If-None-Match": found.headers["etag"]}
    )
    assert (kept.status_code, kept.content) == (304, b"")
