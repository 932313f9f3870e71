"""Thousands who listen, each for something else, and come and go: exactly what happened, cheaply.

`python -m benchmarks.live [--listeners 2000] [--rate 100] [--seconds 15] [--rounds 2]` prints
a line a figure with its bar, and ends with 1 if one is short. `--quick` measures less, to see that
it works.
"""

import argparse
import asyncio
import logging
import resource
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import asyncpg
import msgspec
import psutil
import uvloop

from benchmarks.chaos import ready
from benchmarks.listeners import Latencies, Listener, wrong
from benchmarks.rounds import percentile
from treering import ulid
from treering.embedded import Servers
from treering.message import Verdict
from treering.store import Entry, Origin, Request, Ruling, Stand, Store, migrations
from treering.store.connecting import url_for
from treering.testing.fleet import Fleet

WHOLE = {"listeners": 2000, "seconds": 15.0, "rounds": 2}
QUICK = {"listeners": 200, "seconds": 3.0, "rounds": 1}
_LANES = 50
"""One event in so many matches."""
_MEAN = 20.0
"""Seconds between hanging up, of each that hears something."""
_SETTLE = 2.0
_PATIENCE = 30.0
_AT_ONCE = 50
_READERS = """
select count(*) from pg_stat_activity
 where application_name = 'treering ledger' and usename = 'ledger_reader' and query like 'LISTEN%'
"""


class Talk:
    """Says something so many times a second, straight into the store."""

    def __init__(self, store: Store, latencies: Latencies, rate: float) -> None:
        self._store = store
        self._latencies = latencies
        self._pause = 1 / rate
        self.said = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Go on until told to stop."""
        due = time.perf_counter()
        while not stop.is_set():
            await asyncio.sleep(max(0, due - time.perf_counter()))
            due += self._pause
            self._latencies.say(self.said)
            await self._store.append(_request(self.said))
            self.said += 1


def _request(number: int) -> Request:
    named = ulid.new()
    stream = f"entry/{named}"
    body: dict[str, object] = {"name": f"entry {number}", "amount": number, "lane": number % _LANES}
    origin = Origin(
        command=named,
        time=datetime.now(UTC),
        tenant="default",
        actor="benchmark",
        correlation=named,
    )
    verdict = Verdict(
        id=named, fingerprint=b"0123456789abcdef", outcome="accepted", stream=stream, version=1
    )
    return Request(
        stands=[Stand(stream, 0, 1)],
        entries=[Entry(stream, 1, "entry.created.v1", msgspec.json.encode(body).decode(), origin)],
        rulings=[Ruling(verdict, 1, 1)],
    )


def _wanted(number: int) -> str:
    """Return what the listener with this *number* asks for; no two ask for the same."""
    return f"kind=entry&data.lane={number % _LANES}&data.amount[gt]=-{number + 2}"


def _unwanted(number: int) -> str:
    """Return what nothing matches: no such lane, no such entry, or no such amount."""
    return (
        f"kind=entry&data.lane={_LANES + number}",
        f"subject=entry/{number}",
        f"kind=entry&data.amount[lt]=-{number + 1}",
    )[number % 3]


class Bench:
    """One run."""

    def __init__(self, servers: Servers, home: Path, said: argparse.Namespace) -> None:
        self.asked = said
        self.home = home
        self.database = servers.addresses.database
        self.environment: Mapping[str, str] = {
            "TREERING_APP": str(Path(__file__).parent / "ledger"),
            "TREERING_HOME": str(home),
            "TREERING_DATABASE": url_for(self.database, "ledger_writer"),
            "TREERING_DATABASE_READER": url_for(self.database, "ledger_reader"),
            "TREERING_KAFKA": servers.addresses.kafka,
            "TREERING_SECRET": "ledger",
            "TREERING_PARTITIONS": "2",
            "TREERING_REPLICATION": "1",
            "TREERING_SESSION_SECONDS": "1.5",
            "TREERING_LOG_LEVEL": "warning",
        }
        self.is_short = False
        self.random = Random(said.seed)
        self.latencies = Latencies()

    def tell(self, name: str, value: float, bar: str, *, ok: bool) -> None:
        """Print a figure's line."""
        self.is_short |= not ok
        print(f"{name} {value:.3g} {bar} {'ok' if ok else 'short'}", flush=True)

    async def run(self) -> bool:
        """Run it all; say whether every bar was met."""
        await migrations.upgrade(
            self.database, "ledger", writer="ledger_writer", reader="ledger_reader"
        )
        roles = {"gateway": 1, "handler": 1, "projector": 1}
        async with AsyncExitStack() as stack:
            fleet = await stack.enter_async_context(Fleet(self.home, roles, self.environment))
            await ready(fleet)
            (gateway,) = fleet.of("gateway")
            if gateway.process is None:
                raise RuntimeError("The gateway does not run.")
            process = psutil.Process(gateway.process.pid)
            url = self.environment["TREERING_DATABASE"]
            store = await stack.enter_async_context(await Store.open(url, namespace="ledger"))
            talk = Talk(store, self.latencies, self.asked.rate)
            listeners = [
                Listener(gateway.port, _wanted(number), self.latencies.hear)
                for number in range(self.asked.listeners)
            ]
            async with self._listening(listeners, _MEAN):
                stop = asyncio.Event()
                talking = asyncio.create_task(talk.run(stop))
                await self._measure(process, gateway.port)
                stop.set()
                await talking
                await self._heard(listeners, talk.said)
        self._reckon(listeners, talk.said)
        return not self.is_short

    @asynccontextmanager
    async def _listening(
        self, listeners: Sequence[Listener], mean: float | None
    ) -> AsyncGenerator[None]:
        """Have them listen, begun a few at a time."""
        stop = asyncio.Event()
        tasks: list[asyncio.Task[None]] = []
        for place in range(0, len(listeners), _AT_ONCE):
            few = listeners[place : place + _AT_ONCE]
            tasks += [
                asyncio.create_task(each.listen(stop, Random(self.random.random()), mean))
                for each in few
            ]
            await _there(few)
        yield
        stop.set()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    async def _measure(self, process: psutil.Process, port: int) -> None:
        """Measure the gateway's CPU with those who hear something, and with as many others."""
        alone: list[float] = []
        beside: list[float] = []
        for number in range(self.asked.rounds):
            await asyncio.sleep(_SETTLE)
            alone.append(await self._cpu(process))
            others = [
                Listener(port, _unwanted(number), self.latencies.hear)
                for number in range(self.asked.listeners)
            ]
            async with self._listening(others, None):
                await asyncio.sleep(_SETTLE)
                beside.append(await self._cpu(process))
                readers = await self._readers()
            heard = sum(len(each.amounts) + len(each.faults) for each in others)
            self.tell("heard-or-failed-by-those-who-want-nothing", heard, "0", ok=not heard)
            self.tell("readers-of-the-store", readers, "1", ok=readers == 1)
            told = f"round {number + 1}: {alone[-1]:.3f} then {beside[-1]:.3f} of a CPU"
            print(told, file=sys.stderr, flush=True)
        ratio = sum(beside) / sum(alone)
        print(f"cpu-alone {sum(alone) / len(alone):.3g} cpu-beside {sum(beside) / len(beside):.3g}")
        self.tell("cpu-with-as-many-who-want-nothing", ratio, "<=1.25", ok=ratio <= 1.25)

    async def _cpu(self, process: psutil.Process) -> float:
        """Return the share of a CPU that the gateway takes."""
        self.latencies.counts = True
        began, before = time.perf_counter(), process.cpu_times()
        await asyncio.sleep(self.asked.seconds)
        self.latencies.counts = False
        after, seconds = process.cpu_times(), time.perf_counter() - began
        return (after.user + after.system - before.user - before.system) / seconds

    async def _readers(self) -> int:
        connection = await asyncpg.connect(self.database)
        try:
            return int(await connection.fetchval(_READERS))
        finally:
            await connection.close()

    async def _heard(self, listeners: Sequence[Listener], said: int) -> None:
        """Wait until all that was said has been heard; what is missing then, is."""
        deadline = time.perf_counter() + _PATIENCE
        lanes = [len(range(number, said, _LANES)) for number in range(_LANES)]
        while time.perf_counter() < deadline and any(
            len(each.amounts) < lanes[number % _LANES] for number, each in enumerate(listeners)
        ):
            await asyncio.sleep(0.2)

    def _reckon(self, listeners: Sequence[Listener], said: int) -> None:
        lanes = [[*range(number, said, _LANES)] for number in range(_LANES)]
        found = [wrong(each, lanes[number % _LANES]) for number, each in enumerate(listeners)]
        faults = [fault for each in listeners for fault in each.faults]
        for each in [*filter(None, found), *faults][:10]:
            print(each, file=sys.stderr)
        connects = sum(each.connects for each in listeners)
        taken = self.latencies.milliseconds
        heard = sum(len(each.amounts) for each in listeners)
        print(f"events {said} heard {heard} connects {connects}", flush=True)
        print(
            f"ms-from-the-append p50 {percentile(taken, 0.5):.3g} p99 {percentile(taken, 0.99):.3g}"
        )
        self.tell(
            "listeners-that-did-not-hear-exactly-that",
            sum(map(bool, found)),
            "0",
            ok=not any(found),
        )
        self.tell("failed-connections", len(faults), "0", ok=not faults)


async def _there(listeners: Sequence[Listener]) -> None:
    """Wait until all listen."""
    try:
        async with asyncio.timeout(_PATIENCE):
            for each in listeners:
                await each.is_there.wait()
    except TimeoutError as error:
        faults = [fault for each in listeners for fault in each.faults]
        raise TimeoutError(f"Not all came to listen: {faults[:5]}") from error


def main() -> int:
    """Run once; return 1 if a bar was not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listeners", type=int, help="who hear something, and as many others")
    parser.add_argument("--rate", type=float, default=100, help="events a second")
    parser.add_argument("--seconds", type=float, help="of each of both windows of a round")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--quick", action="store_true", help="see that it runs; figures say little")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    said = parser.parse_args()
    for name, value in (QUICK if said.quick else WHOLE).items():
        if getattr(said, name) is None:
            setattr(said, name, value)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    print(f"seed {said.seed} listeners {said.listeners} events/s {said.rate:g}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with Servers(home) as servers:
            ok = uvloop.run(Bench(servers, home, said).run())
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
