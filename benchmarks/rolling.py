"""Two releases of a service side by side, in both orders of deployment, and back.

`python -m benchmarks.rolling [--seconds 60] [--seed N] [--keep FOLDER]` lets the older one run,
replaces its processes one by one while clients change and read what is theirs, has the newer one
run alone, and goes back; first handlers before gateways, then gateways before handlers. It prints
what it counted, and ends with 1 if a promise was not kept.
"""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from benchmarks.chaos import client, ready, settings, start, tell
from benchmarks.owners import Owner, Traffic
from benchmarks.reckoning import events_topics, settle
from benchmarks.releases import Release, releases
from benchmarks.storm import note
from benchmarks.voices import KafkaVoice
from benchmarks.wishes import Wishes
from treering.bus import Topics, dead_list
from treering.embedded import Addresses, Servers
from treering.handling.states import folded
from treering.store import Reader, migrations, parked
from treering.store.backfill import upgrade_rules
from treering.testing.audit import Books, audit_answers, audit_store, audit_subscriber
from treering.testing.fleet import Fleet, Member
from treering.testing.ledger import Ledger
from treering.testing.subscriber import Subscriber

OWNERS = 12
SPEAKERS = 6
_PATIENCE = 60.0
_PARTITIONS = 4
_ROLES = {"handler": 2, "relay": 1, "projector": 1, "gateway": 2}
_ORDERS = {"handlers first": ("handler", "gateway"), "senders first": ("gateway", "handler")}
_MOST = 30


class Rollout:
    """A service whose processes are replaced one by one."""

    def __init__(self, fleet: Fleet, traffic: Traffic, older: Release, newer: Release) -> None:
        self._fleet = fleet
        self._traffic = traffic
        self._older = older
        self._newer = newer
        self._running: dict[str, list[Member]] = {role: [] for role in _ROLES}

    async def begin(self) -> None:
        """Start the older release."""
        for role, count in _ROLES.items():
            self._running[role] = [self._started(role, self._older) for _ in range(count)]
        await ready(self._fleet)
        for member in self._running["gateway"]:
            self._traffic.admit(member, is_newer=False)

    async def deploy(self, order: Sequence[str], seconds: float) -> None:
        """Bring the newer release in by *order*; both run side by side for *seconds*."""
        self._traffic.may_park = order[0] == "gateway"
        before = await self._beside(self._newer)
        first, second = order
        await self._replace(first, 1, self._newer)
        await asyncio.sleep(seconds / 2)
        await self._replace(first, 2, self._newer)
        await self._replace(second, 1, self._newer)
        await asyncio.sleep(seconds / 2)
        await self._replace(second, 2, self._newer)
        await self._replace("relay", 1, self._newer)
        await self._end(before)

    async def withdraw(self) -> None:
        """Go back to the older release: those first who say what it does not know."""
        before = await self._beside(self._older)
        for role in ("gateway", "handler"):
            for number in (1, 2):
                await self._replace(role, number, self._older)
        await self._replace("relay", 1, self._older)
        await self._end(before)
        self._traffic.may_park = False

    async def _beside(self, release: Release) -> Member:
        """Start a projector of *release* beside the one that is there, and return that."""
        (before,) = self._running["projector"]
        self._running["projector"] = [self._started("projector", release)]
        return before

    async def _replace(self, role: str, number: int, release: Release) -> None:
        old = self._running[role][number - 1]
        new = self._started(role, release)
        await self._until_it_runs(new)
        if role == "gateway":
            self._traffic.admit(new, is_newer=release is self._newer)
            await self._traffic.dismiss(old)
        self._running[role][number - 1] = new
        await self._end(old)
        note(f"         {old.name} gave way to {new.name}, which is {release.name}")

    def _started(self, role: str, release: Release) -> Member:
        return self._fleet.add(role, release.environment)

    async def _end(self, member: Member) -> None:
        if status := await self._fleet.retire(member):
            self._traffic.fault(f"{member.name} ended with status {status}; see {member.log}")

    async def _until_it_runs(self, member: Member) -> None:
        if member.role == "gateway":
            await ready(self._fleet)
            return
        async with asyncio.timeout(_PATIENCE):
            while "running" not in member.log.read_text():
                await asyncio.sleep(0.05)


@dataclass(slots=True, kw_only=True)
class Story:
    """What was said and seen, and what became of it."""

    older: Release
    newer: Release
    traffic: Traffic
    owners: Sequence[Owner]
    live: Subscriber
    ledger: Ledger = field(default_factory=Ledger)

    async def reckon(self, reader: Reader, addresses: Addresses) -> None:
        """Compare what is there with what was answered; what is wrong are the traffic's faults."""
        app = self.older.app
        await self.live.reach((await reader.head()).position, _PATIENCE)
        books = await Books.read(reader, app.registry, self.ledger)
        found = [*audit_store(books), *audit_answers(books, self.ledger)]
        found += audit_subscriber(books, self.live.seen, "the live subscriber")
        self.traffic.counts["events"] = books.head
        self.traffic.faults += [str(each) for each in found]
        for letter in await dead_list(addresses.kafka, Topics(app.namespace)):
            self.traffic.fault(f"{letter.command} is a dead letter: {letter.reason}")
        await self._reckon_units(reader)
        await self._reckon_parked(reader)

    async def _reckon_units(self, reader: Reader) -> None:
        """Check that the older release has left alone what only the newer one knows.

        The older one's rules make up no default, so that what was erased is missing.
        """
        owners = {f"station/{each.station}": each for each in self.owners if each.has_unit}
        states = await folded(reader, self.older.app.registry, dict.fromkeys(owners))
        self.traffic.counts["units-at-the-end"] = len(owners)
        if not owners:
            self.traffic.fault("nobody has said a unit: nothing was compared")
        for stream, owner in owners.items():
            found = states[stream].state.fields.get("unit")
            if found is None or (owner.unit and found != owner.unit):
                self.traffic.fault(f"{stream} has the unit {found}, not {owner.unit}")

    async def _reckon_parked(self, reader: Reader) -> None:
        """Check that what was parked was decided."""
        if not self.traffic.parked:
            self.traffic.fault("nothing was parked: senders were not first")
        verdicts = await reader.verdicts(self.traffic.parked)
        for command in self.traffic.parked:
            verdict = verdicts.get(command)
            if verdict is None or verdict.outcome == "refused":
                became = verdict.problem if verdict else "nothing"
                self.traffic.fault(f"{command} was parked, and {became} became of it")

    def report(self, fleet: Fleet) -> bool:
        """Print what was counted; say whether every promise was kept."""
        traffic = self.traffic
        tell("over HTTP", traffic.counts)
        tell("over Kafka", self.ledger.counts())
        ends = [(each.name, status) for each in fleet.members for status in each.ends]
        traffic.faults += [f"{name} ended by itself, status {status}" for name, status in ends]
        for fault in traffic.faults[:_MOST]:
            print(" ", fault)
        print(f"short: {len(traffic.faults)} faults" if traffic.faults else "ok")
        return not traffic.faults


async def run(servers: Servers, home: Path, seed: int, seconds: float) -> bool:
    """Run it all, print what was found, and return whether every promise was kept."""
    addresses = servers.addresses
    environment = {
        **settings(addresses, home), "TREERING_LOG_LEVEL": "info", "TREERING_VISIBLE_SECONDS": "5",
        "TREERING_WAIT_SECONDS": "12",
    }  # fmt: skip
    older, newer = releases(home / "releases", environment)
    namespace = older.app.namespace
    await migrations.upgrade(
        addresses.database, namespace, writer="chaos_writer", reader="chaos_reader"
    )
    await upgrade_rules(addresses.database, namespace, older.app.registry)
    traffic, over = Traffic(), asyncio.Event()
    story = Story(
        older=older,
        newer=newer,
        traffic=traffic,
        owners=[Owner(traffic, number, seed) for number in range(OWNERS)],
        live=Subscriber(addresses.kafka, events_topics(older.app)),
    )
    async with AsyncExitStack() as stack:
        fleet = await stack.enter_async_context(Fleet(home, {}, environment))
        rollout = Rollout(fleet, traffic, older, newer)
        await rollout.begin()
        following = asyncio.create_task(story.live.run(), name="live subscriber")
        said = await stack.enter_async_context(client(older.app, addresses))
        async with asyncio.TaskGroup() as group:
            for owner in story.owners:
                group.create_task(owner.live(over))
            wishes = Wishes()
            for number in range(SPEAKERS):
                random = Random(f"{seed}/speaker/{number}")
                group.create_task(
                    _speak(KafkaVoice(said, story.ledger, random), wishes, random, over)
                )
            for name, order in _ORDERS.items():
                note(f"{name}")
                await asyncio.sleep(seconds / 6)
                await rollout.deploy(order, seconds)
                await asyncio.sleep(seconds / 6)
                await _all_decided(environment["TREERING_DATABASE_READER"], namespace)
                await rollout.withdraw()
            await asyncio.sleep(seconds / 6)
            over.set()
        reader = await Reader.open(environment["TREERING_DATABASE_READER"], namespace=namespace)
        await stack.enter_async_context(reader)
        await settle(said, reader, _PARTITIONS)
        following.cancel()
        await asyncio.wait({following})
        await story.reckon(reader, addresses)
    return story.report(fleet)


async def _speak(voice: KafkaVoice, wishes: Wishes, random: Random, over: asyncio.Event) -> None:
    """Say over Kafka what the older release knows, one thing after the other."""
    while not over.is_set():
        wish = wishes.draw(random)
        said = await voice.say(wish, None)
        if said.answer is not None:
            wishes.learn(wish, said.answer)


async def _all_decided(url: str, namespace: str) -> None:
    """Wait until nothing waits any more for a newer handler."""
    async with await Reader.open(url, namespace=namespace) as reader, asyncio.timeout(_PATIENCE):
        while await parked.waiting(reader):
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    sys.exit(start(run, __doc__, 60))
