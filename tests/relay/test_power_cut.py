"""What a broker loses with its power or its life is sent again, unasked and never twice."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.relay.forest import KINDS, REGISTRY, Forest
from tests.relay.subscriber import assert_exactly_once, until
from treering.bus.partitions import partition_of
from treering.bus.topics import Topics, create_topics
from treering.embedded import Addresses, ServerOptions, Servers
from treering.embedded.logs import BATCH, UNCOUNTED
from treering.relay import Relay
from treering.store import Store


@pytest.fixture
def broker(tmp_path: Path, servers: Addresses) -> Generator[Servers]:
    """Start a Kafka of its own, beside the session's PostgreSQL."""
    with Servers(tmp_path, ServerOptions(database=servers.database)) as started:
        yield started


class Site:
    """A relay's surroundings that can be struck."""

    def __init__(self, broker: Servers, folder: Path, store: Store) -> None:
        self.kafka = broker.addresses.kafka
        self.topics = Topics(store.namespace)
        self.forest = Forest(store)
        self._broker = broker
        self._data = folder / "kafka" / "data"
        self._store = store

    async def make(self) -> None:
        await create_topics(self.kafka, self.topics, KINDS, partitions=2, replication=1)

    @asynccontextmanager
    async def relaying(self) -> AsyncGenerator[Relay]:
        relay = Relay(
            self.kafka, namespace=self._store.namespace, store=self._store, registry=REGISTRY
        )
        stop = asyncio.Event()
        running = asyncio.create_task(relay.run(stop))
        try:
            yield relay
        finally:
            stop.set()
            await running

    async def relay(self, *steps: int) -> None:
        """Let a relay send what there is and, each in a transaction of its own, *steps* more."""
        async with self.relaying() as relay:
            for step in (0, *steps):
                await self.forest.grow(step)
                async with asyncio.timeout(40):
                    while relay.position < self.forest.position:
                        await asyncio.sleep(0.01)

    async def strike(self, *logs: tuple[str, int]) -> None:
        """Kill the broker, take so many batches from the end of each log, and start it again."""
        os.kill(self._broker.pids["kafka"], signal.SIGKILL)
        async with asyncio.timeout(20):
            while not self._broker.dead():
                await asyncio.sleep(0.01)
        for log, batches in logs:
            cut(self._data / log, batches)
        await asyncio.to_thread(self._broker.revive)
        await self.make()

    def oak(self) -> str:
        """Return the folder of the partition that has the events of a tree."""
        return f"{self.topics.events('tree')}-{partition_of('tree/0', 2)}"


def cut(log: Path, batches: int) -> None:
    """Take *batches* from the end of *log*; all of it if there are no more."""
    segment = next(log.glob("*.log"))
    content = segment.read_bytes()
    begins = [0]
    while begins[-1] < len(content):
        _, length, *_ = BATCH.unpack_from(content, begins[-1])
        begins.append(begins[-1] + UNCOUNTED + length)
    if len(begins) - 1 <= batches:
        shutil.rmtree(log)
    else:
        os.truncate(segment, begins[-1 - batches])


@pytest.fixture
async def site(broker: Servers, tmp_path: Path, store: Store) -> Site:
    made = Site(broker, tmp_path, store)
    await made.make()
    return made


@pytest.mark.parametrize("batches", [1, 2, 3, 6, 1000])
async def test_a_partition_that_was_cut_gets_its_events_again(site: Site, batches: int) -> None:
    await site.relay(12, 12, 12, 12)
    await site.strike((site.oak(), batches))
    await site.relay(12)
    assert_exactly_once(await until(site.kafka, site.topics, 60), 60)


@pytest.mark.parametrize("batches", [1, 2, 3, 5])
async def test_a_checkpoint_that_was_cut_lets_nothing_be_sent_twice(
    site: Site, batches: int
) -> None:
    await site.relay(12, 12, 12)
    await site.strike((f"{site.topics.relay}-0", batches))
    await site.relay(12)
    assert_exactly_once(await until(site.kafka, site.topics, 48), 48)


async def test_both_may_be_cut_at_once_and_once_more(site: Site) -> None:
    await site.relay(12, 12, 12)
    await site.strike((f"{site.topics.relay}-0", 4), (site.oak(), 3))
    await site.relay(12)
    await site.strike((f"{site.topics.relay}-0", 3), (site.oak(), 1))
    await site.relay(12)
    assert_exactly_once(await until(site.kafka, site.topics, 60), 60)


async def test_a_broker_that_is_killed_under_load_costs_nothing(site: Site) -> None:
    async with site.relaying():
        for _ in range(3):
            writing = asyncio.create_task(site.forest.grow(100))
            await site.strike()
            await writing
        assert_exactly_once(await until(site.kafka, site.topics, 300), 300)
