"""A handler is killed between any two effects, and it is as if it had not been.

A batch holds one command of every sort: creates with and without an id, an update, one that is
refused, one for which there is nothing to do, and one of two streams.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import msgspec
import pytest

from tests.system.kinds import REGISTRY
from treering.bus import Topics, create_topics
from treering.bus.kafka import new_producer, started
from treering.bus.records import records_of
from treering.embedded import Addresses
from treering.handling import Handling
from treering.message import Outcome, Received
from treering.store import Appended, Entry, Origin, Request, Stand, Store
from treering.testing.fixtures import Database

POINTS = ["before-append", "after-append", "after-outcome", "after-commit"]
BATCH: Sequence[tuple[str, str, str, bytes]] = [
    ("named", "dataset.create.v1", "dataset/rain", b'{"name":"rain"}'),
    ("unnamed", "dataset.create.v1", "", b'{"name":"snow"}'),
    ("update", "dataset.update.v1", "dataset/old", b'{"rows":5}'),
    ("refused", "dataset.update.v1", "dataset/missing", b'{"rows":5}'),
    ("nothing", "dataset.update.v1", "dataset/still", b'{"rows":0}'),
    ("transfer", "account.transfer.v1", "account/ann", b'{"into":"account/bob","coins":7}'),
]
"""Id, type, stream and body."""
EVENTS = {"named": 1, "unnamed": 1, "update": 1, "transfer": 2}
WORDS = {
    "named": "accepted", "unnamed": "accepted", "update": "accepted", "refused": "refused",
    "nothing": "nothing", "transfer": "accepted",
}  # fmt: skip


class World:
    """The topics and the store of one test, with something in it."""

    def __init__(self, servers: Addresses, database: Database, store: Store) -> None:
        self.store = store
        self.topics = Topics(database.namespace)
        self.kafka = servers.kafka
        self._words = (servers.kafka, database.writer, database.namespace)

    async def fill(self) -> None:
        """Make the streams that the batch speaks of, and send it as one."""
        await create_topics(
            self.kafka, self.topics, [*REGISTRY.deciders], partitions=4, replication=1
        )
        now = datetime.now(UTC)
        create = REGISTRY.commands["dataset.create.v1"].decode
        made = [
            Received(
                id=f"made-{name}", type="dataset.create.v1", stream=f"dataset/{name}",
                command=create(f'{{"name":"{name}"}}'), now=now, time=now, correlation=name,
            )
            for name in ("old", "still")
        ]  # fmt: skip
        await Handling(self.store, REGISTRY).handle(made)
        async with started(new_producer(self.kafka)) as producer:
            sent = [
                await producer.send(
                    self.topics.commands, body, stream.encode() or None, 0,
                    headers=[("ce_type", kind.encode()), ("ce_id", name.encode())],
                )
                for name, kind, stream, body in BATCH
            ]  # fmt: skip
            await asyncio.gather(*sent)

    @asynccontextmanager
    async def handler(
        self, crash: str = "", mood: str = ""
    ) -> AsyncGenerator[asyncio.subprocess.Process]:
        """Run a handler; it is killed in the end if it still runs."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.system.handler", *self._words, mood,
            stdout=PIPE, env={**os.environ, "TREERING_TEST_CRASH": crash},
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    async def die(self, point: str, mood: str = "") -> None:
        """Have a handler die at *point*."""
        async with self.handler(point, mood) as process, asyncio.timeout(30):
            assert await process.wait() == -signal.SIGKILL

    async def change(self) -> None:
        """Make the stream whose update was refused because it did not exist."""
        origin = Origin(
            command="later", time=datetime.now(UTC), tenant="default", actor="x", correlation="x"
        )
        body = '{"tags":[],"name":"late","rows":0}'
        entry = Entry("dataset/missing", 1, "dataset.created.v1", body, origin)
        request = Request(stands=[Stand("dataset/missing", 0, 1)], rulings=[], entries=[entry])
        assert isinstance(await self.store.append(request), Appended)

    async def told(self) -> dict[str, list[Outcome]]:
        """Return all outcomes there are, by command."""
        found: dict[str, list[Outcome]] = {}
        async for record in records_of(self.kafka, self.topics.outcomes):
            outcome = msgspec.json.decode(record.value or b"", type=Outcome)
            found.setdefault(outcome.command, []).append(outcome)
        return found

    async def settled(self, seconds: float = 20) -> dict[str, list[Outcome]]:
        """Run a handler until all commands are answered, and return the answers."""
        async with self.handler():
            deadline = asyncio.get_running_loop().time() + seconds
            while len(found := await self.told()) < len(BATCH):
                assert asyncio.get_running_loop().time() < deadline, f"only {[*found]} are answered"
                await asyncio.sleep(0.05)
        return found

    async def events(self) -> Counter[str]:
        """Return how many events each command of the batch has left."""
        names = {name for name, *_ in BATCH}
        found = Counter(event.causation for event in await self.store.read(0, limit=1000))
        return Counter({name: count for name, count in found.items() if name in names})


@pytest.fixture
async def world(servers: Addresses, database: Database, store: Store) -> World:
    made = World(servers, database, store)
    await made.fill()
    return made


@pytest.mark.parametrize("point", POINTS)
async def test_a_crash_changes_no_outcome_and_doubles_no_event(world: World, point: str) -> None:
    await world.die(point)
    before = await world.told()
    if point != "before-append":
        await world.change()
    after = await world.settled()
    assert {name: told[0].outcome for name, told in after.items()} == WORDS
    for name, told in after.items():
        assert all(each == told[0] for each in [*before.get(name, []), *told]), name
    assert await world.events() == EVENTS
    assert (await world.store.invariant(full=True)).holds


async def test_offsets_that_are_committed_first_lose_commands(world: World) -> None:
    """The planted fault shows that the test above can fail."""
    await world.die("before-append", mood="hasty")
    with pytest.raises(AssertionError, match="are answered"):
        await world.settled(seconds=5)
