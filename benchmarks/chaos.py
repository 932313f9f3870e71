"""Kills everything under load, then counts: nothing lost, nothing doubled, no answer untrue.

`python -m benchmarks.chaos [--seconds 180] [--seed N] [--keep FOLDER]` prints its seed and what it
counted; it ends with 1 if a promise was not kept.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from random import Random

import uvloop

from benchmarks.http import Line
from benchmarks.mischief import ROLE_DEEDS, ROLES
from benchmarks.reckoning import Reckoning, events_topics, settle
from benchmarks.storm import Storm, Voice
from benchmarks.voices import HttpVoice, KafkaVoice
from treering.app import App, load
from treering.bus import Client
from treering.embedded import Addresses, Servers
from treering.settings import Settings
from treering.store import Reader, migrations
from treering.store.backfill import upgrade_rules
from treering.store.connecting import url_for
from treering.testing.fleet import Fleet, Member
from treering.testing.ledger import Ledger
from treering.testing.subscriber import Subscriber

CLIENTS = 50
_PARTITIONS = 4
_PATIENCE = 90.0
_MOST = 40
_SERVICE = Path(__file__).parents[1] / "examples" / "rainfall"
_SECRET = "chaos"  # noqa: S105 - of servers that live for minutes


def client(app: App, addresses: Addresses) -> Client:
    """Return a client that speaks over Kafka."""
    return Client(addresses.kafka, namespace=app.namespace, secret=app.secret(), source="/chaos")


def _voices(
    clients: Sequence[Client], fleet: Fleet, ledger: Ledger, seed: int
) -> Sequence[tuple[Voice, Voice]]:
    """Return for each client the voice that it has, and one of another kind that it knows."""
    ports = [member.port for member in fleet.of("gateway")]
    voices: list[tuple[Voice, Voice]] = []
    for number in range(CLIENTS):
        client, random = clients[number % len(clients)], Random(f"{seed}/voice/{number}")
        over_kafka = KafkaVoice(client, ledger, random)
        over_http = HttpVoice(ports, ledger, random)
        voices.append((over_http, over_kafka) if number % 3 == 0 else (over_kafka, over_http))
    return voices


async def ready(fleet: Fleet) -> None:
    """Wait until every gateway is ready: then what it needs is there too."""
    deadline = time.monotonic() + _PATIENCE
    for member in fleet.of("gateway"):
        while not await _is_ready(member):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{member.name} did not become ready; see {member.log}.")
            await asyncio.sleep(0.1)


async def _is_ready(member: Member) -> bool:
    line = Line(member.port)
    try:
        return (await line.request("GET", "/health/ready", timeout=3)).status == 200
    except ConnectionError:
        return False
    finally:
        line.close()


def settings(addresses: Addresses, home: Path) -> Mapping[str, str]:
    """Return what the roles and this process are told."""
    return {
        "TREERING_APP": str(_SERVICE),
        "TREERING_HOME": str(home),
        "TREERING_DATABASE": url_for(addresses.database, "chaos_writer"),
        "TREERING_DATABASE_READER": url_for(addresses.database, "chaos_reader"),
        "TREERING_KAFKA": addresses.kafka,
        "TREERING_SECRET": _SECRET,
        "TREERING_PARTITIONS": str(_PARTITIONS),
        "TREERING_REPLICATION": "1",
        "TREERING_SESSION_SECONDS": "1.5",
        "TREERING_WAIT_SECONDS": "4",
        "TREERING_DRAIN_SECONDS": "5",
        "TREERING_POOL_MAX": "4",
        "TREERING_LOG_LEVEL": "warning",
    }


async def run(servers: Servers, home: Path, seed: int, seconds: float) -> bool:
    """Run it all, print what was found, and return whether every promise was kept."""
    addresses = servers.addresses
    environment = settings(addresses, home)
    app = load(Settings.read(environment))
    await migrations.upgrade(
        addresses.database, app.namespace, writer="chaos_writer", reader="chaos_reader"
    )
    await upgrade_rules(addresses.database, app.namespace, app.registry)
    async with AsyncExitStack() as stack:
        fleet = await stack.enter_async_context(Fleet(home, ROLES, environment))
        await ready(fleet)
        live = Subscriber(addresses.kafka, events_topics(app))
        storm = Storm(servers, fleet, seed, seconds)
        clients = [await stack.enter_async_context(client(app, addresses)) for _ in range(4)]
        following = asyncio.create_task(live.run(), name="live subscriber")
        await storm.run(_voices(clients, fleet, storm.ledger, seed))
        await ready(fleet)
        following.cancel()
        await asyncio.wait({following})
        url = environment["TREERING_DATABASE_READER"]
        reader = await Reader.open(url, namespace=app.namespace)
        await stack.enter_async_context(reader)
        await settle(clients[0], reader, _PARTITIONS)
        reckoning = await Reckoning.of(app, addresses.kafka, reader, storm.ledger, live)
        report(reckoning, fleet, storm)
    return not reckoning.violations


def report(reckoning: Reckoning, fleet: Fleet, storm: Storm) -> None:
    """Print what was counted, and what is wrong."""
    kills: Counter[str] = Counter()
    freezes: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    for member in fleet.members:
        kills[member.role] += member.kills
        freezes[member.role] += member.freezes
        ends.update(f"{member.role} (status {status})" for status in member.ends)
    tell("commands", reckoning.counts)
    tell(f"kills {kills.total()}:", kills)
    tell(f"freezes {freezes.total()}:", freezes)
    tell("servers:", {deed: n for deed, n in storm.done.items() if deed not in ROLE_DEEDS})
    tell("ended by themselves:", ends)
    tell("broken:", Counter(violation.rule for violation in reckoning.violations))
    for violation in reckoning.violations[:_MOST]:
        print(" ", violation)
    print("short" if reckoning.violations else "ok")


def tell(what: str, counts: Mapping[str, int]) -> None:
    """Print *counts* in one line."""
    print(what, *(f"{name} {count}" for name, count in counts.items()))


type Run = Callable[[Servers, Path, int, float], Awaitable[bool]]
"""From servers, a folder, a seed and seconds to whether every promise was kept."""


def start(doing: Run, description: str | None, seconds: float) -> int:
    """Do it once as the command line says; return 1 if a promise was not kept."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--seconds", type=float, default=seconds)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", type=Path, help="a new folder for the state and the logs")
    said = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    print(f"seed {said.seed} seconds {said.seconds:g}", flush=True)
    with ExitStack() as stack:
        home = said.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        home.mkdir(parents=True, exist_ok=True)
        servers = stack.enter_context(Servers(home))

        async def once() -> bool:
            return await doing(servers, home, said.seed, said.seconds)

        ok = uvloop.run(once())
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(start(run, __doc__, 180))
