"""Two releases side by side: what the older one does not understand waits for the newer one."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from tests.bus.conftest import SECRET
from tests.bus.raw import outcomes, send
from tests.bus.records import record
from treering.bus import (
    Client,
    CommandReader,
    Handler,
    HandlerOptions,
    Topics,
    create_topics,
    dead_list,
)
from treering.bus.answers import Answers
from treering.bus.kafka import LARGEST_LETTER, new_producer, started
from treering.bus.outcomes import OutcomeWriter
from treering.bus.parking import Parking
from treering.bus.settling import Settling
from treering.embedded import Addresses
from treering.entity import Entity, renamed
from treering.handling import Handling
from treering.message import Outcome
from treering.registry import Registry
from treering.schema import SchemaRegistry
from treering.store import Store
from treering.store.parked import Parked, is_parked, park, waiting


class Before(Entity, kind="dataset"):
    name: str


class After(Entity, kind="dataset"):
    name: str
    unit: str = "mm"


class Later(Entity, kind="dataset", version=2):
    title: str
    unit: str = "mm"


@Later.upcast(1)
def from_1(fields: dict[str, object]) -> dict[str, object]:
    """Read what was called a name."""
    return renamed(fields, name="title")


def schemas(*releases: type[Entity]) -> SchemaRegistry:
    """Return the shapes that commands had in these releases, one after the other."""
    found = SchemaRegistry()
    for release in releases:
        for name, each in Registry([release.decider()]).commands.items():
            if found.revision(name) is None:
                found.add(name, each.schema())
            else:
                found.register(name, each.schema)
    return found


OLD, NEW = schemas(Before), schemas(Before, After)


class Releases:
    """Handlers and clients of several releases of one service."""

    def __init__(self, servers: Addresses, names: Topics, store: Store) -> None:
        self._kafka = servers.kafka
        self._names = names
        self.store = store

    @asynccontextmanager
    async def handler(
        self, release: type[Entity], known: SchemaRegistry
    ) -> AsyncGenerator[Handler]:
        """Run a handler of *release*."""
        registry = Registry([release.decider()])
        handler = Handler(
            self._kafka,
            namespace=self._names.namespace,
            handling=Handling(self.store, registry),
            store=self.store,
            registry=registry,
            schemas=known,
            secret=SECRET,
            options=HandlerOptions(session_seconds=30),
        )
        stop = asyncio.Event()
        running = asyncio.create_task(handler.run(stop))
        try:
            yield handler
        finally:
            stop.set()
            await running

    def client(self, known: SchemaRegistry) -> Client:
        """Return a client that knows these shapes."""
        namespace = self._names.namespace
        return Client(
            self._kafka, namespace=namespace, secret=SECRET, source="/test", schemas=known
        )

    async def final(self, command: str) -> Outcome:
        """Return the outcome of *command* that is not only word of its waiting."""
        async with asyncio.timeout(20):
            while True:
                for each in await outcomes(self._kafka, self._names.outcomes, 0):
                    if each.command == command and not each.parked:
                        return each


@pytest.fixture
async def releases(servers: Addresses, names: Topics, store: Store) -> Releases:
    await create_topics(servers.kafka, names, ["dataset"], partitions=1, replication=1)
    return Releases(servers, names, store)


async def test_a_new_field_waits_for_a_handler_that_knows_it(releases: Releases) -> None:
    async with releases.client(NEW) as client:
        async with releases.handler(Before, OLD):
            told = await client.ask("dataset.create.v1", {"name": "a", "unit": "cm"}, id="first")
            assert (told.outcome, told.parked) == ("refused", True)
            assert told.problem is not None
            assert (told.problem["status"], told.problem["command"]) == (503, "first")
            assert await is_parked(releases.store, "first")
            (waits,) = await waiting(releases.store)
            assert (waits.type, waits.revision, waits.waiting) == ("dataset.create.v1", 2, 1)
            plain = await client.ask("dataset.create.v1", {"name": "b"})
            assert plain.outcome == "accepted"
        async with releases.handler(After, NEW):
            decided = await releases.final("first")
            assert decided.entity is not None
            assert (decided.entity["name"], decided.entity["unit"]) == ("a", "cm")
            again = await client.ask("dataset.create.v1", {"name": "a", "unit": "cm"}, id="first")
            assert again.entity == decided.entity
    async with asyncio.timeout(10):
        while await is_parked(releases.store, "first"):
            pass


async def test_a_later_version_waits_and_an_earlier_one_is_read_as_todays(
    releases: Releases,
) -> None:
    async with releases.client(OLD) as client:
        async with releases.handler(After, NEW):
            told = await client.ask("dataset.create.v2", {"title": "a"}, id="second")
            assert told.parked
            assert "dataset.create.v2 in its revision 1" in str(told.problem)
        async with releases.handler(Later, schemas(Later)):
            decided = await releases.final("second")
            assert decided.entity is not None
            assert decided.entity["title"] == "a"
            old = await client.ask("dataset.create.v1", {"name": "b"})
            assert old.entity is not None
            assert (old.entity["title"], old.entity["unit"]) == ("b", "mm")


async def test_a_command_said_twice_while_it_waits_is_decided_once(
    releases: Releases, servers: Addresses, names: Topics
) -> None:
    said = [("ce_type", b"dataset.create.v2"), ("ce_id", b"third"), ("reply-to", b"0")]
    async with releases.handler(Before, OLD) as handler:
        await send(servers.kafka, names.commands, (None, b'{"title":"a"}', said))
        assert (await outcomes(servers.kafka, names.outcomes, 1))[0].parked
        first = handler.statistics.commands
        await send(servers.kafka, names.commands, (None, b'{"title":"a"}', said))
        async with asyncio.timeout(20):
            while handler.statistics.commands == first:
                await asyncio.sleep(0)
    assert [each.waiting for each in await waiting(releases.store)] == [2]
    async with releases.handler(Later, schemas(Later)):
        decided = await releases.final("third")
        assert decided.outcome == "accepted"
        async with asyncio.timeout(20):
            while await waiting(releases.store):
                pass
    assert (await releases.store.head()).position == 1


async def test_what_was_decided_by_a_newer_handler_does_not_wait_again(
    releases: Releases, servers: Addresses, names: Topics
) -> None:
    said = [
        ("ce_type", b"dataset.create.v1"),
        ("ce_id", b"fourth"),
        ("ce_dataschema", b"dataset.create.v1.2"),
        ("reply-to", b"0"),
    ]
    async with releases.handler(After, NEW):
        await send(servers.kafka, names.commands, (None, b'{"name":"a","unit":"cm"}', said))
        (first,) = await outcomes(servers.kafka, names.outcomes, 1)
    async with releases.handler(Before, OLD):
        await send(servers.kafka, names.commands, (None, b'{"name":"a","unit":"cm"}', said))
        again = (await outcomes(servers.kafka, names.outcomes, 2))[1]
    assert (again.outcome, again.positions) == ("accepted", first.positions)
    assert again.entity == first.entity
    assert await waiting(releases.store) == []


async def test_what_an_old_handler_can_not_fold_is_answered_without_it(
    releases: Releases, servers: Addresses, names: Topics
) -> None:
    said = [("ce_type", b"dataset.create.v2"), ("ce_id", b"fifth"), ("reply-to", b"0")]
    async with releases.handler(Later, schemas(Later)):
        await send(servers.kafka, names.commands, (None, b'{"title":"a"}', said))
        await outcomes(servers.kafka, names.outcomes, 1)
    async with releases.handler(Before, OLD):
        await send(servers.kafka, names.commands, (None, b'{"title":"a"}', said))
        again = (await outcomes(servers.kafka, names.outcomes, 2))[1]
    assert (again.outcome, again.entity) == ("accepted", None)
    assert await waiting(releases.store) == []


async def test_all_that_waits_is_taken_up_without_a_pause(releases: Releases) -> None:
    for offset in range(1200):
        await park(releases.store, set_down(offset))
    began = asyncio.get_running_loop().time()
    async with releases.handler(After, NEW), asyncio.timeout(20):
        while await waiting(releases.store):
            await asyncio.sleep(0)
    assert asyncio.get_running_loop().time() - began < 10
    assert (await releases.store.head()).position == 1200


def set_down(offset: int, *, days: float = 0) -> Parked:
    """Return a command that has waited for *days*."""
    command = f"waiting-{offset}"
    said = [("ce_type", b"dataset.create.v1"), ("ce_dataschema", b"dataset.create.v1.2")]
    return Parked(
        topic="nobody-cares",
        partition=0,
        offset=offset,
        at=datetime.now(UTC) - timedelta(days=days),
        command=command,
        type="dataset.create.v1",
        revision=2,
        key=None,
        value=b'{"name":"a","unit":"cm"}',
        headers=[*said, ("ce_id", command.encode()), ("reply-to", b"0")],
    )


async def test_what_nobody_has_come_for_is_a_dead_letter(
    releases: Releases, servers: Addresses, names: Topics
) -> None:
    await park(releases.store, set_down(1, days=20))
    await park(releases.store, set_down(2, days=22))
    async with releases.handler(Before, OLD):
        (told,) = await outcomes(servers.kafka, names.outcomes, 1)
        async with asyncio.timeout(20):
            while await is_parked(releases.store, "waiting-2"):
                await asyncio.sleep(0)
    assert (told.command, told.dead, told.parked) == ("waiting-2", True, False)
    (letter,) = await dead_list(servers.kafka, names)
    assert letter.error == "urn:treering:error:waited-too-long"
    assert "No handler that knows dataset.create.v1 in its revision 2 has come" in letter.reason
    assert await is_parked(releases.store, "waiting-1")


async def test_what_there_is_no_room_for_is_a_dead_letter(
    releases: Releases, servers: Addresses, names: Topics
) -> None:
    registry = Registry([Before.decider()])
    store = releases.store
    settling = Settling(
        CommandReader(registry, schemas=OLD),
        Handling(store, registry),
        store,
        Parking(store, registry, OLD, most=2),
    )
    said = [
        record(b'{"title":"a"}', {"ce_type": b"dataset.create.v2"}, offset=offset)
        for offset in range(3)
    ]
    async with started(new_producer(servers.kafka, largest=LARGEST_LETTER)) as producer:
        await settling.settle(said, Answers(producer, names, OutcomeWriter(names.namespace, 1)))
    assert [each.waiting for each in await waiting(store)] == [2]
    (letter,) = await dead_list(servers.kafka, names)
    assert (letter.offset, letter.error) == (2, "urn:treering:error:no-room")


async def test_a_schema_of_somebody_elses_means_nothing(releases: Releases) -> None:
    async with releases.client(OLD) as client, releases.handler(Before, OLD):
        for schema in ("https://example.org/a.json", "dataset.update.v1.9", "dataset.create.v1"):
            told = await client.ask("dataset.create.v1", {"name": schema}, dataschema=schema)
            assert told.outcome == "accepted"


async def test_a_body_that_is_none_says_no_revision(releases: Releases) -> None:
    async with releases.client(NEW) as client, releases.handler(Before, OLD):
        told = await client.ask("dataset.create.v1", b"[1]")
        assert told.dead
