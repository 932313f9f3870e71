"""The store beside its peers: single appends, big appends, and loads among many events.

`python -m benchmarks.store` prints one line a figure, `name value peer ratio bar ok|short`, and
ends with 1 if one is short. `--quick` measures less, to see that it works.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from urllib.parse import parse_qs, urlsplit

import uvloop

from benchmarks.asking import BODY, asking
from benchmarks.filling import VERSIONS, filled, stream_of
from benchmarks.peer import Peer, environment
from benchmarks.rounds import Figure, Result, compare
from treering import ulid
from treering.embedded import ServerOptions, Servers
from treering.store import Appended, Store, migrations

RECORDER = ["eventsourcing[postgres]>=9.5.6,<10"]
THREADS = (1, 2, 4, 8, 16, 32, 64)
NO_KAFKA = "none:0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    seconds: float
    loads: int
    few: int
    many: int
    rounds: int


FULL = Size(seconds=4, loads=1500, few=100_000, many=5_000_000, rounds=5)
QUICK = Size(seconds=1, loads=300, few=10_000, many=100_000, rounds=3)


async def appends(store: Store, clients: int, count: int, seconds: float) -> float:
    """Return events a second, in appends of *count* by *clients*; half go to existing streams."""
    began = time.monotonic()

    async def client() -> int:
        done = 0
        while time.monotonic() < began + seconds:
            stream = f"dataset/{ulid.new()}"
            for expected in (0, count):
                answer = await store.append(asking(stream, expected, count))
                if not isinstance(answer, Appended):
                    raise TypeError(f"Nothing stands in the way of a benchmark, but {answer} did.")
                done += count
        return done

    done = await asyncio.gather(*(client() for _ in range(clients)))
    return sum(done) / (time.monotonic() - began)


def loads(store: Store, streams: int, size: Size) -> Callable[[], Awaitable[float]]:
    """Return what measures the median of a load and an append, in milliseconds, one by one."""
    random = Random(streams)
    versions: dict[str, int] = {}

    async def measure() -> float:
        taken: list[float] = []
        for _ in range(size.loads):
            stream = stream_of(random.randrange(streams))
            while stream in versions:
                stream = stream_of(random.randrange(streams))
            versions[stream] = VERSIONS
            began = time.perf_counter()
            found = await store.read_stream(stream)
            await store.append(asking(stream, found[-1].version))
            taken.append(time.perf_counter() - began)
        return median(taken) * 1000

    return measure


async def single(store: Store, database: str, size: Size) -> Result:
    """Append single events by 64 clients, beside the recorder at its best thread count."""
    place = {name: values[0] for name, values in parse_qs(urlsplit(database).query).items()}
    peer = await Peer.start(
        environment("eventsourcing-9.5", RECORDER), "recorder.py",
        place["host"], place["port"], "postgres", "postgres", BODY,
    )  # fmt: skip
    rates = {threads: await peer.ask(threads, size.seconds / 4) for threads in THREADS}
    best = max(THREADS, key=lambda threads: rates[threads])
    print(f"the recorder is best with {best} threads", file=sys.stderr)
    result = await compare(
        Figure(name="appends-of-1-by-64-clients/s", bar=20),
        lambda: appends(store, 64, 1, size.seconds),
        lambda: peer.ask(best, size.seconds),
        size.rounds,
    )
    await peer.stop()
    return result


async def hundred(store: Store, database: str, size: Size) -> Result:
    """Append 100 events at a time by 16 clients, beside raw inserts by 16 connections."""
    peer = await Peer.start(sys.executable, "inserts.py", database, "bench_few", "16", BODY)
    result = await compare(
        Figure(name="events-in-appends-of-100-by-16-clients/s", bar=0.75),
        lambda: appends(store, 16, 100, size.seconds),
        lambda: peer.ask(size.seconds),
        size.rounds,
    )
    await peer.stop()
    return result


async def measured(database: str, size: Size) -> list[Result]:
    """Fill two stores, measure all figures."""
    async with AsyncExitStack() as stack:
        for namespace in ("bench-few", "bench-many"):
            await migrations.upgrade(database, namespace)
        few, many = [
            await stack.enter_async_context(await Store.open(database, namespace=namespace))
            for namespace in ("bench-few", "bench-many")
        ]
        for row in await few.fetch(
            "select name, setting from pg_settings where name = any($1)",
            ["fsync", "full_page_writes", "synchronous_commit", "server_version"],
        ):
            print(row["name"], row["setting"])
        await filled(database, "bench_few", size.few)
        await filled(database, "bench_many", size.many)
        results = [
            await compare(
                Figure(
                    name=f"ms-to-load-and-append-at-{size.many}-beside-{size.few}",
                    bar=1.25,
                    at_most=True,
                ),
                loads(many, size.many // VERSIONS, size),
                loads(few, size.few // VERSIONS, size),
                size.rounds,
            ),
            await single(few, database, size),
            await hundred(few, database, size),
        ]
        for store in (few, many):
            if not (found := await store.invariant(full=True)).holds:
                raise RuntimeError(f"{store.namespace} is not gapless: {found.detail}.")
        return results


def main() -> int:
    """Measure; return whether a figure is short."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="measure less, to see that it works")
    size = QUICK if parser.parse_args().quick else FULL
    with (
        tempfile.TemporaryDirectory(prefix="treering-bench-") as folder,
        Servers(Path(folder), ServerOptions(kafka=NO_KAFKA)) as servers,
    ):
        results = uvloop.run(measured(servers.addresses.database, size))
    return 0 if all(result.ok for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
