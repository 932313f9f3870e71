"""One service a module, for tests that do not disturb it."""

from collections.abc import AsyncGenerator

import httpx2
import pytest_asyncio

from tests.gateway.running import Running, running
from treering import ulid
from treering.embedded import Addresses


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(servers: Addresses) -> AsyncGenerator[Running]:
    async with running(servers, f"g-{ulid.new()[-12:].lower()}") as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http(service: Running) -> httpx2.AsyncClient:
    return service.http
