"""The handler against a real Kafka and a real PostgreSQL."""

import asyncio
import os
import sys

from tests.bus.conftest import Handlers
from tests.bus.odd import COMPRESSIONS
from tests.bus.raw import Raw, outcomes, send
from treering.bus import Client, Topics, dead_list
from treering.embedded import Addresses
from treering.store import Store

CREATE = ("ce_type", b"dataset.create.v1")


async def reaches(store: Store, position: int) -> None:
    """Wait until the store stands at *position*."""
    async with asyncio.timeout(20):
        while (await store.head()).position < position:
            await asyncio.sleep(0.01)


async def test_a_record_with_nothing_but_a_type_becomes_an_entity(
    servers: Addresses, topics: Topics, handlers: Handlers, store: Store
) -> None:
    await send(servers.kafka, topics.commands, (None, b'{"name":"rain","rows":12}', [CREATE]))
    async with handlers():
        (outcome,) = await outcomes(servers.kafka, topics.outcomes, 1)
    assert outcome.outcome == "accepted"
    assert outcome.entity
    assert (outcome.entity["name"], outcome.entity["rows"]) == ("rain", 12)
    (event,) = await store.read(0)
    assert (event.stream, event.actor, event.causation) == (
        outcome.stream, "kafka", outcome.command,
    )  # fmt: skip


async def test_a_client_is_told_what_became_of_its_command(
    handlers: Handlers, client: Client, store: Store
) -> None:
    async with handlers():
        made = await client.ask("dataset.create.v1", {"name": "rain"}, subject="dataset/rain")
        again = await client.ask("dataset.create.v1", {"name": "x"}, subject="dataset/rain")
        stale = await client.ask(
            "dataset.update.v1", {"rows": 3}, subject="dataset/rain", expected=7
        )
        update = await client.ask(
            "dataset.update.v1", {"rows": 3}, subject="dataset/rain", expected=1, actor="bob"
        )
        same = await client.ask("dataset.update.v1", {"rows": 3}, subject="dataset/rain")
    assert (made.outcome, made.version, made.positions) == ("accepted", 1, (1, 1))
    assert again.problem
    assert again.problem["type"] == "urn:treering:error:already-exists"
    assert stale.problem
    assert stale.problem["status"] == 412
    assert (update.outcome, update.version, update.positions) == ("accepted", 2, (2, 2))
    assert (same.outcome, same.version) == ("nothing", 2)
    assert [event.actor for event in await store.read(0)] == ["ann", "bob"]


async def test_a_command_said_twice_has_one_outcome(
    handlers: Handlers, client: Client, store: Store
) -> None:
    async with handlers():
        twice = [client.ask("dataset.create.v1", {"name": "rain"}, id="once") for _ in range(2)]
        one, other = await asyncio.gather(*twice)
        later = await client.ask("dataset.create.v1", {"name": "rain"}, id="once")
    assert one == other == later
    assert (await store.head()).position == 1


async def test_an_id_used_again_is_refused_to_whoever_used_it_again(
    handlers: Handlers, client: Client
) -> None:
    async with handlers():
        first, second = await asyncio.gather(
            client.ask("dataset.create.v1", {"name": "rain"}, id="once", subject="dataset/1"),
            client.ask("dataset.create.v1", {"name": "snow"}, id="once", subject="dataset/1"),
        )
        third = await client.ask("dataset.create.v1", {"name": "fog"}, id="once")
    words = sorted([first.outcome, second.outcome])
    assert words == ["accepted", "refused"]
    refused = first if first.outcome == "refused" else second
    for outcome in (refused, third):
        assert outcome.problem
        assert outcome.problem["type"] == "urn:treering:error:id-reused"


POISON: list[Raw] = [
    (b"dataset/p", b"{", [CREATE]),
    (b"dataset/p", None, [CREATE]),
    (None, b"[]", [CREATE]),
    (None, b"{}", []),
    (None, b"{}", [("ce_type", b"dataset.craete.v1")]),
    (None, b"{}", [("ce_type", b"\xff")]),
    (None, b"{}", [CREATE, ("ce_id", b"x" * 129)]),
    (None, b"{}", [CREATE, ("ce_subject", b"tree/1")]),
    (None, b"{}", [CREATE, ("ce_expectedversion", b"last")]),
    (None, b"{}", [("ce_type", b"dataset.delete.v1")]),
    (None, b'{"name":"' + b"x" * 900_000 + b'"}', [CREATE]),
    (b"dataset/p", b"{}", [("ce_type", b"dataset.break.v1")]),
    (b"dataset/p", b"{}", [("ce_type", b"dataset.crack.v1")]),
    (None, b'{"type":"\xff"}', [("content-type", b"application/cloudevents+json")]),
    (None, b"<xml/>", [CREATE, ("content-type", b"application/cloudevents+json")]),
]  # fmt: skip


async def test_poison_never_blocks_its_neighbours(
    servers: Addresses, topics: Topics, handlers: Handlers, store: Store
) -> None:
    records: list[Raw] = [(b"dataset/p", b'{"name":"p"}', [CREATE])]
    for number, poison in enumerate(POISON):
        name = f"n{number}".encode()
        records += poison, (b"dataset/%b" % name, b'{"name":"%b"}' % name, [CREATE])
    await send(servers.kafka, topics.commands, *records)
    async with handlers():
        told = await outcomes(servers.kafka, topics.outcomes, 2 * len(POISON))
    accepted = [outcome for outcome in told if outcome.outcome == "accepted"]
    dead = [outcome for outcome in told if outcome.dead]
    assert len(accepted) == len(POISON) + 1
    assert len(dead) == len(POISON) - 1, "one has no readable id"
    assert (await store.head()).position == len(POISON) + 1
    letters = await dead_list(servers.kafka, topics)
    assert [letter.error.rpartition(":")[2] for letter in letters] == [
        "not-json", "not-json", "not-an-object", "unknown-type", "unknown-type", "wrong-headers",
        "wrong-headers", "wrong-subject", "wrong-headers", "no-subject", "too-large",
        "rule-failed", "unreadable", "wrong-headers", "not-json",
    ]  # fmt: skip
    assert not any("secret" in letter.reason for letter in letters)
    for letter, (key, value, headers) in zip(letters, POISON, strict=True):
        assert (letter.record.key, letter.record.value) == (key, value)
        assert list(letter.headers) == list(headers)


async def test_a_header_that_the_driver_can_not_read_blocks_nobody(
    servers: Addresses, topics: Topics, handlers: Handlers, store: Store
) -> None:
    elsewhere: Raw = (b"dataset/elsewhere", b'{"name":"elsewhere"}', [CREATE])
    await send(servers.kafka, topics.commands, elsewhere, partition=1)
    sending = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bus.odd", servers.kafka, topics.commands,
        env={**os.environ, "AIOKAFKA_NO_EXTENSIONS": "1"},
    )  # fmt: skip
    assert await sending.wait() == 0
    expected = {
        f"dataset/{word}-{by}" for word in ("before", "odd", "after") for by in COMPRESSIONS
    }
    async with handlers():
        await reaches(store, len(expected) + 1)
        await send(servers.kafka, topics.commands, (None, b'{"name":"later"}', [CREATE]))
        await reaches(store, len(expected) + 2)
    streams = [event.stream for event in await store.read(0)]
    assert {*streams[:-1]} == expected | {"dataset/elsewhere"}


async def test_any_compression_is_read(
    servers: Addresses, topics: Topics, handlers: Handlers
) -> None:
    for compression in ("gzip", "snappy", "lz4", "zstd"):
        name = compression.encode()
        await send(
            servers.kafka, topics.commands, (None, b'{"name":"%b"}' % name, [CREATE]),
            compression=compression,
        )  # fmt: skip
    async with handlers():
        told = await outcomes(servers.kafka, topics.outcomes, 4)
    assert [outcome.outcome for outcome in told] == ["accepted"] * 4


async def test_handlers_share_the_work_and_hand_it_over(
    handlers: Handlers, client: Client, store: Store
) -> None:
    over = asyncio.Event()

    async def load() -> int:
        count = 0
        while not over.is_set():
            outcome = await client.ask("config.create.v1", {"name": "x"}, timeout=60)
            assert outcome.outcome == "accepted"
            count += 1
        return count

    async with handlers() as stays:
        loads = [asyncio.create_task(load()) for _ in range(8)]
        async with handlers() as comes_and_goes:
            async with asyncio.timeout(60):
                while not comes_and_goes.statistics.commands:
                    await asyncio.sleep(0.01)
        over.set()
        counts = await asyncio.gather(*loads)
    assert sum(counts) == (await store.head()).position
    assert stays.statistics.commands + comes_and_goes.statistics.commands >= sum(counts)
    assert comes_and_goes.statistics.commands > 0
