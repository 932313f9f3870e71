"""Commands beside a bare echo, and HTTP beside Kafka.

`python -m benchmarks.commands` prints one line a figure, `name value peer ratio bar ok|short`, and
ends with 1 if one is short. `--quick` measures less, to see that it works.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from statistics import median

import httpx2
import uvloop

from benchmarks.driving import BODY, Driver
from benchmarks.rounds import ROUNDS, Figure, Result, compare
from treering.bus import Topics, create_topics
from treering.embedded import Addresses, Servers
from treering.store import migrations

OURS, ECHO = "bench", "bench-echo"


@contextmanager
def process(*words: str, home: Path, addresses: Addresses, port: int = 0) -> Generator[None]:
    """Run a Python module beside the servers; it ends with the block."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TREERING_")},
        "TREERING_DATABASE": addresses.database,
        "TREERING_KAFKA": addresses.kafka,
        "TREERING_NAMESPACE": OURS,
        "TREERING_HOME": str(home / "state"),
        "TREERING_PORT": str(port),
        "TREERING_LOG_LEVEL": "warning",
    }
    child = subprocess.Popen([sys.executable, "-m", *words], env=environment)
    try:
        yield
    finally:
        child.terminate()
        child.wait(20)


async def beside_the_echo(
    addresses: Addresses, home: Path, rounds: int, share: float
) -> list[Result]:
    """Measure one handler beside an echo of the same records."""
    async with AsyncExitStack() as stack:
        stack.enter_context(process("treering", "run", "handler", home=home, addresses=addresses))
        topics = Topics(ECHO)
        words = ("benchmarks.peers.echo", addresses.kafka, topics.commands, topics.outcomes)
        stack.enter_context(process(*words, home=home, addresses=addresses))
        ours = await stack.enter_async_context(Driver(addresses.kafka, OURS))
        echo = await stack.enter_async_context(Driver(addresses.kafka, ECHO))
        for driver in (ours, echo):
            await driver.drive(64, 2000)

        def rate(driver: Driver, window: int) -> Callable[[], Awaitable[float]]:
            async def measure() -> float:
                return (await driver.drive(window, round(12_000 * share))).rate

            return measure

        def alone(driver: Driver) -> Callable[[], Awaitable[float]]:
            async def measure() -> float:
                return (await driver.drive(1, round(600 * share))).alone

            return measure

        return [
            await compare(
                Figure(name="commands-64-in-flight", bar=0.5),
                rate(ours, 64),
                rate(echo, 64),
                rounds,
            ),
            await compare(
                Figure(name="commands-256-in-flight", bar=0.4),
                rate(ours, 256),
                rate(echo, 256),
                rounds,
            ),
            await compare(
                Figure(name="command-alone-ms", bar=1.8, at_most=True),
                alone(ours),
                alone(echo),
                rounds,
            ),
        ]


async def over_http(addresses: Addresses, home: Path, rounds: int, share: float) -> list[Result]:
    """Measure a POST that waits for its read model beside a command that waits for its outcome."""
    port = 8765
    roles = ("handler", "relay", "projector")
    async with AsyncExitStack() as stack:
        for words in (roles, ("gateway",)):
            stack.enter_context(
                process("treering", "run", *words, home=home, addresses=addresses, port=port)
            )
        url = f"http://127.0.0.1:{port}"
        client = await stack.enter_async_context(httpx2.AsyncClient(base_url=url, timeout=30))
        driver = await stack.enter_async_context(Driver(addresses.kafka, OURS))
        await driver.drive(8, 100)
        await ready(client)

        async def post() -> float:
            taken: list[float] = []
            for _ in range(round(600 * share)):
                began = time.perf_counter()
                answer = await client.post(
                    "/api/v1/configs", content=BODY, headers={"content-type": "application/json"}
                )
                taken.append(1000 * (time.perf_counter() - began))
                if answer.status_code != 201 or "treering-read-model" in answer.headers:
                    raise RuntimeError(f"{answer.status_code} {answer.text}")
            return median(taken)

        async def command() -> float:
            return (await driver.drive(1, round(600 * share))).alone

        figure = Figure(name="post-to-visible-ms", bar=2, at_most=True)
        return [await compare(figure, post, command, rounds)]


async def ready(client: httpx2.AsyncClient) -> None:
    """Wait until the gateway answers."""
    deadline = time.monotonic() + 30
    while True:
        try:
            if (await client.get("/health/ready")).status_code == 200:
                return
        except httpx2.TransportError:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.1)


async def measure(*, quick: bool) -> list[Result]:
    """Measure all figures on servers of this run."""
    rounds, share = (3, 0.2) if quick else (ROUNDS, 1.0)
    with tempfile.TemporaryDirectory() as folder, Servers(Path(folder)) as servers:
        addresses = servers.addresses
        await migrations.upgrade(addresses.database, OURS)
        for namespace in (OURS, ECHO):
            await create_topics(
                addresses.kafka, Topics(namespace), ["config"], partitions=4, replication=1
            )
        home = Path(folder)
        return [
            *await beside_the_echo(addresses, home, rounds, share),
            *await over_http(addresses, home, rounds, share),
        ]


def main() -> int:
    """Print the figures; return 1 if one is short."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    results = uvloop.run(measure(quick=parser.parse_args().quick))
    return 0 if all(result.ok for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
