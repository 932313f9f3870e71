"""The relay beside a bare transactional producer, and beside a bare produce-to-consume.

`python -m benchmarks.relay` prints one line a figure, `name value peer ratio bar ok|short`, and
ends with 1 if one is short. `--quick` measures less, to see that it works.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Self

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.asking import BODY, asking
from benchmarks.filling import filled
from benchmarks.peer import Peer
from benchmarks.rounds import ROUNDS, Figure, Result, compare
from treering import ulid
from treering.bus.topics import Topics, create_topics
from treering.embedded import Addresses, Servers
from treering.entity import Entity
from treering.registry import Registry
from treering.relay import Relay
from treering.relay.topic import make
from treering.store import Store, migrations

BUSY, ALONE = "bench-relay", "bench-relay-alone"
SENT, BARE = "bench-sent", "bench-bare"
FLOOR_MS = 20.0
"""What a subscriber may wait besides three times a bare record's way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    events: int
    singles: int
    rounds: int


FULL = Size(events=40_000, singles=150, rounds=ROUNDS)
QUICK = Size(events=10_000, singles=30, rounds=3)


class Bench(Entity):
    """What the filled store holds."""

    name: str = ""


class Dataset(Entity):
    """What is appended one by one."""

    name: str = ""


@asynccontextmanager
async def relaying(
    addresses: Addresses, store: Store, entity: type[Entity]
) -> AsyncGenerator[Relay]:
    """Run a relay for as long as the block lasts."""
    registry = Registry([entity.decider()])
    relay = Relay(addresses.kafka, namespace=store.namespace, store=store, registry=registry)
    stop = asyncio.Event()
    running = asyncio.create_task(relay.run(stop))
    try:
        yield relay
    finally:
        stop.set()
        await running


class Backlog:
    """Sends a store that is full, a part each round."""

    def __init__(self, addresses: Addresses, store: Store, count: int) -> None:
        self._addresses = addresses
        self._store = store
        self._count = count
        self.batch = 0
        """Events of a transaction, on the average of the last round."""

    async def rate(self) -> float:
        """Return events a second, from the first transaction on."""
        async with relaying(self._addresses, self._store, Bench) as relay:
            found = relay.statistics
            while not found.transactions:
                await asyncio.sleep(0.001)
            first, began = found.events, time.perf_counter()
            while found.events < first + self._count:
                await asyncio.sleep(0.001)
            taken = time.perf_counter() - began
            self.batch = found.events // found.transactions
            return (found.events - first) / taken


class Subscriber:
    """Notes when records arrive, by key."""

    def __init__(self, kafka: str, topic: str, isolation: str) -> None:
        self._consumer: Any = AIOKafkaConsumer(
            topic, bootstrap_servers=kafka, isolation_level=isolation
        )
        self._arrivals: dict[bytes, asyncio.Future[float]] = {}

    async def listen(self) -> None:
        """Note arrivals, for ever."""
        await self._consumer.start()
        try:
            async for record in self._consumer:
                if (waiting := self._arrivals.pop(record.key, None)) is not None:
                    waiting.set_result(time.perf_counter())
        finally:
            await self._consumer.stop()

    def arrival(self, key: str) -> asyncio.Future[float]:
        """Return when the record with *key* arrives."""
        self._arrivals[key.encode()] = future = asyncio.get_running_loop().create_future()
        return future

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[Self]:
        """Listen for as long as the block lasts."""
        task = asyncio.create_task(self.listen())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.wait({task})


async def milliseconds(
    subscriber: Subscriber, say: Callable[[str], Awaitable[float]], count: int
) -> float:
    """Return the median way to *subscriber* of what is said now and then; `say` gives its begin."""
    random = Random(count)
    taken: list[float] = []
    while len(taken) < count:
        key = f"dataset/{ulid.new()}"
        arrival = subscriber.arrival(key)
        began = await say(key)
        taken.append(1000 * (await asyncio.wait_for(arrival, 20) - began))
        await asyncio.sleep(random.uniform(0.005, 0.03))
    return median(taken)


async def throughput(addresses: Addresses, store: Store, size: Size) -> Result:
    """Send a backlog, beside a producer that sends the same records in the same batches."""
    backlog = Backlog(addresses, store, size.events)
    await make(addresses.kafka, SENT, 4)
    peer = await Peer.start(
        sys.executable, "transactions.py",
        addresses.kafka, SENT, addresses.database, BUSY, str(size.events),
    )  # fmt: skip
    await backlog.rate()
    await peer.ask(backlog.batch)
    print(f"transactions of {backlog.batch} events", file=sys.stderr)
    result = await compare(
        Figure(name="relay-events/s", bar=0.6),
        backlog.rate,
        lambda: peer.ask(backlog.batch),
        size.rounds,
    )
    await peer.stop()
    return result


async def latency(addresses: Addresses, store: Store, size: Size) -> Result:
    """Append now and then, beside 20 ms and three times the way of a bare record."""
    kafka = addresses.kafka
    await make(kafka, BARE, 4)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        await enter(relaying(addresses, store, Dataset))
        topic = Topics(store.namespace).events("dataset")
        events = await enter(Subscriber(kafka, topic, "read_committed").listening())
        bare = await enter(Subscriber(kafka, BARE, "read_uncommitted").listening())
        producer: Any = await enter(AIOKafkaProducer(bootstrap_servers=kafka, acks="all"))

        async def append(key: str) -> float:
            await store.append(asking(key, 0))
            return time.perf_counter()

        async def produce(key: str) -> float:
            began = time.perf_counter()
            await producer.send_and_wait(BARE, BODY.encode(), key.encode())
            return began

        await milliseconds(events, append, 10)
        await milliseconds(bare, produce, 10)

        async def ours() -> float:
            return await milliseconds(events, append, size.singles)

        async def theirs() -> float:
            return FLOOR_MS + 3 * await milliseconds(bare, produce, size.singles)

        figure = Figure(name="relay-commit-to-subscriber-ms", bar=1, at_most=True)
        return await compare(figure, ours, theirs, size.rounds)


async def measure(size: Size) -> list[Result]:
    """Measure both figures on servers of this run."""
    with tempfile.TemporaryDirectory() as folder, Servers(Path(folder)) as servers:
        addresses = servers.addresses
        for namespace, kind in ((BUSY, "bench"), (ALONE, "dataset")):
            await migrations.upgrade(addresses.database, namespace)
            topics = Topics(namespace)
            await create_topics(addresses.kafka, topics, [kind], partitions=4, replication=1)
        await filled(addresses.database, BUSY.replace("-", "_"), (size.rounds + 3) * size.events)
        async with AsyncExitStack() as stack:
            busy, alone = [
                await stack.enter_async_context(
                    await Store.open(addresses.database, namespace=each)
                )
                for each in (BUSY, ALONE)
            ]
            return [
                await throughput(addresses, busy, size),
                await latency(addresses, alone, size),
            ]


def main() -> int:
    """Print the figures; return 1 if one is short."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="measure less, to see that it works")
    size = QUICK if parser.parse_args().quick else FULL
    return 0 if all(result.ok for result in uvloop.run(measure(size))) else 1


if __name__ == "__main__":
    sys.exit(main())
