"""Two services on one PostgreSQL and one Kafka: neither sees the other, and one is destroyed."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest

from treering.app import load
from treering.bus import Topics
from treering.bus.removal import on_kafka
from treering.embedded import Addresses
from treering.settings import Settings
from treering.store import Reader, migrations
from treering.store.backfill import upgrade_rules
from treering.store.connecting import url_for
from treering.store.removal import in_database
from treering.testing.fleet import Fleet
from treering.testing.subscriber import Subscriber

pytestmark = pytest.mark.timeout(300)
PATIENCE = 60.0
EXAMPLE = Path(__file__).parents[2] / "examples" / "rainfall"
ROLES = {"gateway": 1, "handler": 1, "relay": 1, "projector": 1}
WRITER, READER = "treering_writer", "treering_reader"
STATIONS = "/api/v1/stations"
_PACE = 0.02
"""Seconds between two requests of one who has all day."""


@dataclass(slots=True, kw_only=True)
class Tenant:
    """One of two services that share all servers, and all database users."""

    namespace: str
    servers: Addresses
    home: Path
    names: list[str] = field(default_factory=list[str])
    """Of the stations that were created."""

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "TREERING_NAMESPACE": self.namespace,
            "TREERING_KAFKA": self.servers.kafka,
            "TREERING_DATABASE_OWNER": self.servers.database,
            "TREERING_DATABASE": url_for(self.servers.database, WRITER),
            "TREERING_DATABASE_READER": url_for(self.servers.database, READER),
            "TREERING_HOME": str(self.home),
            "TREERING_SECRET": "shared",
            "TREERING_PARTITIONS": "2",
            "TREERING_REPLICATION": "1",
            "TREERING_SESSION_SECONDS": "1.5",
        }

    @asynccontextmanager
    async def running(self) -> "AsyncGenerator[Running]":
        """Run it; a database that has no store of it gets one."""
        await migrations.upgrade(
            self.servers.database, self.namespace, writer=WRITER, reader=READER
        )
        rules = load(Settings(app=EXAMPLE), projections=False).registry
        await upgrade_rules(self.servers.database, self.namespace, rules)
        self.home.mkdir(exist_ok=True)
        environment = {**self.environment, "TREERING_APP": str(EXAMPLE)}
        async with Fleet(self.home, ROLES, environment) as fleet:
            (gateway,) = fleet.of("gateway")
            async with httpx2.AsyncClient(base_url=gateway.url, timeout=PATIENCE) as http:
                made = Running(tenant=self, fleet=fleet, http=http)
                await made.ready()
                yield made

    @asynccontextmanager
    async def reader(self) -> AsyncGenerator[Reader]:
        url = url_for(self.servers.database, READER)
        async with await Reader.open(url, namespace=self.namespace) as opened:
            yield opened

    async def destroy(self) -> tuple[int, str]:
        """Have it destroyed by somebody who has none of its code; return what that said."""
        own = {key: each for key, each in os.environ.items() if not key.startswith("TREERING_")}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "treering", "destroy", self.namespace, "--yes"),
            cwd=self.home.parent,
            env=own | {**self.environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        return process.returncode or 0, " ".join(said.decode().split())


@dataclass(slots=True, kw_only=True)
class Running:
    """A service that runs, and those who use it."""

    tenant: Tenant
    fleet: Fleet
    http: httpx2.AsyncClient

    async def ready(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while True:
                with suppress(httpx2.TransportError):
                    if (await self.http.get("/health/ready")).status_code == 200:
                        return
                await asyncio.sleep(0.05)

    @asynccontextmanager
    async def traffic(self) -> AsyncGenerator[None]:
        """Have stations created one after the other; whichever is not ends the test."""
        over = asyncio.Event()

        async def create() -> None:
            numbers = count(len(self.tenant.names))
            while not over.is_set():
                name = f"{self.tenant.namespace} {next(numbers)}"
                answer = await self.http.post(STATIONS, json={"name": name})
                assert answer.status_code == 201, answer.text
                self.tenant.names.append(name)
                await asyncio.sleep(_PACE)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(create())
            yield
            over.set()

    async def grow(self, by: int) -> None:
        """Wait until as many more stations have been created."""
        wanted = len(self.tenant.names) + by
        async with asyncio.timeout(PATIENCE):
            while len(self.tenant.names) < wanted:
                await asyncio.sleep(0.02)

    async def shown(self) -> list[str]:
        """Return the names of all stations, as the gateway has them."""
        found: list[Any] = (await self.http.get(STATIONS)).json()
        return [each["name"] for each in found]

    async def sent(self) -> list[str]:
        """Return the ids of all events on Kafka, once there are as many as there should be."""
        tenant = self.tenant
        subscriber = Subscriber(tenant.servers.kafka, [Topics(tenant.namespace).events("station")])
        await subscriber.reach(len(tenant.names), PATIENCE)
        return [each.id for each in subscriber.seen]

    async def has_all_and_nothing_else(self) -> bool:
        """Compare what was created with the store, the read model and the topic."""
        names = sorted(self.tenant.names)
        async with self.tenant.reader() as reader:
            assert (await reader.invariant(full=True)).holds
            stored = await reader.read(0, limit=10_000)
        assert sorted(await self.shown()) == names
        assert len(stored) == len(names)
        assert sorted(await self.sent()) == sorted(each.id for each in stored)
        return True


@pytest.fixture
def tenants(servers: Addresses, namespace: str, tmp_path: Path) -> Callable[[str], Tenant]:
    """Return what names a service; their names begin alike."""

    def named(ending: str) -> Tenant:
        name = f"{namespace}{ending}"
        return Tenant(namespace=name, servers=servers, home=tmp_path / name)

    return named


async def nothing_is_left_of(tenant: Tenant) -> bool:
    found = await on_kafka(tenant.servers.kafka, Topics(tenant.namespace))
    there = await in_database(tenant.servers.database, tenant.namespace)
    return not (found.topics or found.groups or there.schemas)


async def test_one_of_two_services_is_destroyed_and_the_other_notices_nothing(
    tenants: Callable[[str], Tenant],
) -> None:
    doomed, other = tenants(""), tenants("-two")
    async with other.running() as stays:
        async with stays.traffic():
            await _lives_and_ends(doomed, stays)
            await stays.grow(30)
            await _begins_anew(doomed)
        assert await stays.has_all_and_nothing_else()
        assert [member.ends for member in stays.fleet.members] == [[], [], [], []]
    assert (await other.destroy())[0] == 0


async def _lives_and_ends(doomed: Tenant, stays: Running) -> None:
    """Run *doomed* beside the other one, then destroy it, twice."""
    name = doomed.namespace
    async with doomed.running() as goes:
        async with goes.traffic():
            await asyncio.gather(goes.grow(30), stays.grow(30))
            status, said = await doomed.destroy()
            assert (status, f"{name} is in use by process" in said) == (1, True), said
            assert f"a member of {name}.handler" in said
        assert await goes.has_all_and_nothing_else()
    status, said = await doomed.destroy()
    assert (status, said.endswith(f"{name} is gone.")) == (0, True), said
    expected = f"topic {name}.events.station", f"group {name}.handler", f"the role {WRITER}, which"
    assert [each for each in expected if each not in said] == []
    assert stays.tenant.namespace not in said
    assert await nothing_is_left_of(doomed)
    status, said = await doomed.destroy()
    assert (status, f"There is nothing of {name} on" in said) == (0, True), said


async def _begins_anew(doomed: Tenant) -> None:
    """Run a new service under the name of the one that was destroyed."""
    doomed.names.clear()
    async with doomed.running() as again:
        assert await again.shown() == []
        async with again.traffic():
            await again.grow(5)
        assert await again.has_all_and_nothing_else()
    assert (await doomed.destroy())[0] == 0
