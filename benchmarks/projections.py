"""Read models beside a library's projection runner, and beside bare reading and copying.

`python -m benchmarks.projections` prints one line a figure, `name value peer ratio bar ok|short`,
and ends with 1 if one is short. `--quick` measures less, to see that it works.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import uvloop

from benchmarks.histories import VERSIONS, Dataset, lived
from benchmarks.peer import Peer, environment
from benchmarks.rounds import ROUNDS, Figure, Result, compare
from benchmarks.store import NO_KAFKA, RECORDER
from treering.app.logs import configure
from treering.app.running import collect_less
from treering.domain.projection import projection as skipping
from treering.embedded import ServerOptions, Servers
from treering.projection import Projection, Projector, rebuild
from treering.reading import ReadModels
from treering.registry import Registry
from treering.settings import Settings
from treering.store import Store, migrations

REGISTRY = Registry([Dataset.decider(), skipping])
DATASETS = Projection.of(Dataset)
BEHIND, WHOLE = "bench-behind", "bench-whole"
PATIENCE = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    streams: int
    runner_streams: int
    """Those of the library's runner, which is slow: a rate all the same."""
    rounds: int


FULL = Size(streams=20_000, runner_streams=500, rounds=ROUNDS)
QUICK = Size(streams=5_000, runner_streams=200, rounds=3)


def schema_of(store: Store) -> str:
    """Return the schema of *store*."""
    return store.namespace.replace("-", "_")


@asynccontextmanager
async def projecting(store: Store) -> AsyncGenerator[None]:
    """Run a projector for as long as the block lasts."""
    stop = asyncio.Event()
    projector = Projector(store, REGISTRY, [DATASETS], namespace=store.namespace)
    running = asyncio.create_task(projector.run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def shown(store: Store, position: int) -> None:
    """Have a projector fold up to *position*."""
    models = ReadModels(store, [DATASETS])
    try:
        async with projecting(store):
            if not await models.wait("datasets", position, PATIENCE):
                raise RuntimeError(f"The read model has not come to {position}.")
    finally:
        await models.close()


async def live(store: Store) -> None:
    """Have a projector build the read model, up to the head."""
    models = ReadModels(store, [DATASETS])
    try:
        async with projecting(store), asyncio.timeout(PATIENCE):
            while (await models.status())[0].state != "live":
                await asyncio.sleep(0.01)
    finally:
        await models.close()


async def caught_up(store: Store, database: str, streams: int) -> float:
    """Return events a second of a read model that is live and far behind, from its start on."""
    last = await lived(database, schema_of(store), streams)
    began = time.perf_counter()
    await shown(store, last)
    return streams * VERSIONS / (time.perf_counter() - began)


async def built_anew(store: Store, events: int) -> float:
    """Return events a second of a rebuild, from its call to the new tables being read."""
    began = time.perf_counter()
    rebuilt = await rebuild(store, REGISTRY, DATASETS, namespace=store.namespace)
    if not rebuilt.is_taken_up or rebuilt.position != events:
        raise RuntimeError(f"It was not rebuilt up to {events}: {rebuilt}.")
    return events / (time.perf_counter() - began)


async def catch_up(store: Store, database: str, size: Size) -> Result:
    """Catch up, beside the library's runner on a database of the same server."""
    await lived(database, schema_of(store), 1)
    await live(store)
    place = {name: values[0] for name, values in parse_qs(urlsplit(database).query).items()}
    peer = await Peer.start(
        environment("eventsourcing-9.5", RECORDER), "runner.py", place["host"], place["port"]
    )
    result = await compare(
        Figure(name="catch-up-events/s", bar=50),
        lambda: caught_up(store, database, size.streams),
        lambda: peer.ask(size.runner_streams, VERSIONS),
        size.rounds,
    )
    print(
        f"the runner has folded {size.runner_streams * VERSIONS} events a round, "
        f"the projector {size.streams * VERSIONS}",
        file=sys.stderr,
    )
    await peer.stop()
    return result


async def anew(store: Store, database: str, size: Size) -> Result:
    """Rebuild, beside bare reading of the same events and a bare copy of the same rows."""
    events = await lived(database, schema_of(store), size.streams)
    await live(store)
    peer = await Peer.start(sys.executable, "copying.py", database, schema_of(store), "datasets")
    result = await compare(
        Figure(name="rebuild-events/s", bar=0.3),
        lambda: built_anew(store, events),
        peer.ask,
        size.rounds,
    )
    await peer.stop()
    return result


async def measured(database: str, size: Size) -> list[Result]:
    """Measure both figures, in a process that collects as seldom as one of `treering run` does."""
    collect_less()
    async with AsyncExitStack() as stack:
        for namespace in (BEHIND, WHOLE):
            await migrations.upgrade(database, namespace)
        behind, whole = [
            await stack.enter_async_context(await Store.open(database, namespace=namespace))
            for namespace in (BEHIND, WHOLE)
        ]
        return [await catch_up(behind, database, size), await anew(whole, database, size)]


def main() -> int:
    """Print the figures; return 1 if one is short."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="measure less, to see that it works")
    size = QUICK if parser.parse_args().quick else FULL
    configure(Settings(log_level="warning"))
    with (
        tempfile.TemporaryDirectory(prefix="treering-bench-") as folder,
        Servers(Path(folder), ServerOptions(kafka=NO_KAFKA)) as servers,
    ):
        results = uvloop.run(measured(servers.addresses.database, size))
    return 0 if all(result.ok for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
