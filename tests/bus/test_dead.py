"""Dead letters: set aside, looked at, and sent back."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tests.bus.conftest import SECRET, Handlers
from tests.bus.raw import Raw, outcomes, send
from tests.bus.records import AT, record
from treering import ulid
from treering.bus import (
    Client,
    Letter,
    NoDeadLetter,
    Topics,
    dead_list,
    dead_redrive,
    dead_settled,
    dead_show,
    sign,
)
from treering.bus.kafka import LARGEST_LETTER
from treering.bus.letter import letter_record
from treering.embedded import Addresses
from treering.errors import BusError, DeadLetter
from treering.store import Store
from treering.store.connecting import quoted, schema_of
from treering.testing.fixtures import Database

CREATE = ("ce_type", b"dataset.create.v1")


async def died(
    servers: Addresses, topics: Topics, handlers: Handlers, *records: Raw, **options: object
) -> Sequence[Letter]:
    """Let *records* die; return their letters."""
    await send(servers.kafka, topics.commands, *records)
    async with handlers(**options):
        await outcomes(servers.kafka, topics.outcomes, len(records))
    return await dead_list(servers.kafka, topics)


async def test_a_dead_letter_is_the_record_as_it_came_and_why_it_died(
    servers: Addresses, topics: Topics, handlers: Handlers
) -> None:
    headers = [CREATE, ("ce_id", b"mine"), ("own", b"\xff"), ("own", b"twice")]
    (letter,) = await died(servers, topics, handlers, (b"dataset/rain", b"{", headers))
    assert (letter.record.key, letter.record.value) == (b"dataset/rain", b"{")
    assert list(letter.headers) == headers
    assert letter.error == "urn:treering:error:not-json"
    assert letter.reason.startswith("The value is no JSON")
    assert (letter.topic, letter.partition, letter.offset) == (topics.commands, 0, 0)
    assert (letter.command, letter.type, letter.subject) == (
        "mine", "dataset.create.v1", "dataset/rain",
    )  # fmt: skip
    assert letter.time <= letter.died


async def test_a_dead_letter_is_found_by_its_place_or_its_commands_id(
    servers: Addresses, topics: Topics, handlers: Handlers
) -> None:
    (letter,) = await died(servers, topics, handlers, (None, b"{", [CREATE, ("ce_id", b"mine")]))
    assert await dead_show(servers.kafka, topics, "mine") == letter
    assert await dead_show(servers.kafka, topics, letter.place) == letter
    with pytest.raises(NoDeadLetter, match="'other'"):
        await dead_show(servers.kafka, topics, "other")


async def test_a_redriven_command_keeps_its_id_and_is_decided_once(
    servers: Addresses, topics: Topics, handlers: Handlers, client: Client, store: Store
) -> None:
    unsigned: Raw = (None, b'{"name":"rain"}', [CREATE, ("ce_id", b"mine")])
    (letter,) = await died(servers, topics, handlers, unsigned, require_signature=True)
    assert letter.error == "urn:treering:error:unsigned"
    for _ in range(2):
        (back,) = await dead_redrive(servers.kafka, topics, store, ["mine"], secret=SECRET)
        assert back.command == "mine"
    async with handlers(require_signature=True):
        outcome = await client.ask("dataset.create.v1", b'{"name":"rain"}', id="mine")
    assert outcome.outcome == "accepted"
    (event,) = await store.read(0)
    assert (event.causation, event.actor) == ("mine", "kafka")


async def test_a_command_without_an_id_keeps_the_one_that_was_made(
    servers: Addresses, topics: Topics, handlers: Handlers, store: Store
) -> None:
    dead: Raw = (None, b'{"name":"rain"}', [CREATE])
    (letter,) = await died(servers, topics, handlers, dead, require_signature=True)
    made = ulid.derive(letter.time, topics.commands, "0", "0")
    assert letter.command == made
    (back,) = await dead_redrive(servers.kafka, topics, store)
    assert back.command == made
    async with handlers():
        told = await outcomes(servers.kafka, topics.outcomes, 2)
    assert {outcome.command for outcome in told} == {made}
    (event,) = await store.read(0)
    assert (event.causation, event.time) == (made, letter.time)


async def test_redriving_keeps_who_said_it_if_that_was_signed(
    servers: Addresses, topics: Topics, handlers: Handlers, store: Store
) -> None:
    body = b'{"rows":1}'
    signature = sign(SECRET, id="mine", actor="ann", type="dataset.updaet.v1", body=body)
    headers = [
        ("ce_type", b"dataset.updaet.v1"), ("ce_id", b"mine"), ("ce_actor", b"ann"),
        ("ce_signature", signature.encode()),
    ]  # fmt: skip
    forged = [*headers[:2], ("ce_actor", b"bob"), headers[3]]
    letters = await died(servers, topics, handlers, (None, body, headers), (None, b"{}", forged))
    places = [each.place for each in letters]
    await dead_redrive(servers.kafka, topics, store, places, secret=SECRET)
    async with handlers(require_signature=True):
        await outcomes(servers.kafka, topics.outcomes, 4)
    again = (await dead_list(servers.kafka, topics))[2:]
    assert [dict(letter.headers)["ce_actor"] for letter in again] == [b"ann", b"kafka"]
    assert {letter.error for letter in again} == {"urn:treering:error:unknown-type"}, "all signed"
    assert (await store.head()).position == 0


async def test_what_was_too_old_is_only_sent_as_new(
    servers: Addresses, topics: Topics, handlers: Handlers, store: Store
) -> None:
    old = record(b'{"name":"rain"}', {"ce_type": b"dataset.create.v1", "ce_id": b"mine"})
    letter = letter_record(old, DeadLetter("too-old", "It was sent long ago."))
    await send(servers.kafka, topics.dead, (letter.key, letter.value, letter.headers))
    with pytest.raises(BusError, match="as new"):
        await dead_redrive(servers.kafka, topics, store, ["mine"])
    (back,) = await dead_redrive(servers.kafka, topics, store, ["mine"], as_new=True)
    assert back.command != "mine"
    async with handlers():
        (outcome,) = await outcomes(servers.kafka, topics.outcomes, 1)
    assert outcome.command == back.command
    (event,) = await store.read(0)
    assert (event.causation, event.time) == (back.command, AT)


async def test_commands_older_than_the_verdicts_are_not_decided(
    servers: Addresses, topics: Topics, handlers: Handlers, store: Store, database: Database
) -> None:
    await forget_verdicts(database, before=datetime.now(UTC) - timedelta(days=30))
    await take_times_from_senders(servers.kafka, topics.commands)
    body = b'{"name":"rain"}'
    for days in (2, 40):
        at = datetime.now(UTC) - timedelta(days=days)
        headers = [CREATE, ("ce_id", f"{days}-days".encode())]
        await send(servers.kafka, topics.commands, (None, body, headers), at=at)
    async with handlers():
        told = await outcomes(servers.kafka, topics.outcomes, 2)
    assert {outcome.command: outcome.outcome for outcome in told} == {
        "2-days": "accepted", "40-days": "refused",
    }  # fmt: skip
    (letter,) = await dead_list(servers.kafka, topics)
    assert (letter.command, letter.error) == ("40-days", "urn:treering:error:too-old")
    assert (await store.head()).position == 1


async def forget_verdicts(database: Database, *, before: datetime) -> None:
    """Move the horizon, as dropping verdicts does."""
    owner = await asyncpg.connect(database.owner)
    schema = quoted(schema_of(database.namespace))
    await owner.execute(f"update {schema}.head set horizon = $1", before)  # noqa: S608 - quoted
    await owner.close()


async def take_times_from_senders(kafka: str, topic: str) -> None:
    """Let records be as old as their sender says."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    settings = {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, settings)])
    await admin.close()


async def test_a_letter_is_settled_once_its_command_has_a_verdict(
    servers: Addresses, topics: Topics, handlers: Handlers, store: Store
) -> None:
    dead: Raw = (None, b'{"name":"rain"}', [CREATE, ("ce_id", b"mine")])
    (letter,) = await died(servers, topics, handlers, dead, require_signature=True)
    assert await dead_settled(store, [letter]) == {}
    await dead_redrive(servers.kafka, topics, store)
    async with handlers():
        await outcomes(servers.kafka, topics.outcomes, 2)
    assert await dead_settled(store, [letter]) == {letter.place: "accepted"}
    assert await dead_redrive(servers.kafka, topics, store, as_new=True) == []
    with pytest.raises(BusError, match=rf"{letter.place} is settled \(accepted\)"):
        await dead_redrive(servers.kafka, topics, store, ["mine"], as_new=True)
    assert (await store.head()).position == 1


@pytest.mark.parametrize("body", [b"{", b'{"data":1'], ids=["binary", "structured"])
async def test_of_a_command_that_died_again_only_the_newest_letter_is_open(
    servers: Addresses, topics: Topics, handlers: Handlers, store: Store, body: bytes
) -> None:
    kind = b"application/cloudevents+json" if b"data" in body else b"application/json"
    headers = [CREATE, ("content-type", kind)]
    (first,) = await died(servers, topics, handlers, (None, body, headers))
    for count in (2, 3):
        assert len(await dead_redrive(servers.kafka, topics, store, secret=SECRET)) == 1
        async with handlers():
            await outcomes(servers.kafka, topics.outcomes, count)
    letters = await dead_list(servers.kafka, topics)
    last = letters[-1]
    settled = await dead_settled(store, letters, secret=SECRET)
    again = f"died again as {last.place}"
    assert settled == {each.place: again for each in letters[:2]}
    with pytest.raises(BusError, match=again):
        await dead_redrive(servers.kafka, topics, store, [first.place])


async def test_another_body_under_the_same_id_settles_nothing(
    servers: Addresses, topics: Topics, handlers: Handlers, store: Store
) -> None:
    odd = ("ce_type", b"dataset.crate.v1")
    first, second = ((None, body, [odd, ("ce_id", b"mine")]) for body in (b"{}", b'{"rows":1}'))
    letters = await died(servers, topics, handlers, first, second)
    assert await dead_settled(store, letters) == {}


async def test_what_is_sent_as_new_twice_is_one_command(
    servers: Addresses, topics: Topics, handlers: Handlers, store: Store
) -> None:
    dead: Raw = (None, b'{"name":"rain"}', [CREATE])
    (letter,) = await died(servers, topics, handlers, dead, require_signature=True)
    for _ in range(2):
        (back,) = await dead_redrive(servers.kafka, topics, store, as_new=True)
        assert back.command == letter.renewed != letter.command
    async with handlers():
        await outcomes(servers.kafka, topics.outcomes, 3)
    assert (await store.head()).position == 1
    assert await dead_settled(store, [letter]) == {letter.place: "accepted"}


async def test_what_died_again_as_new_leaves_one_letter_open(
    servers: Addresses, topics: Topics, handlers: Handlers, store: Store
) -> None:
    (letter,) = await died(servers, topics, handlers, (None, b"{", [CREATE]))
    await dead_redrive(servers.kafka, topics, store, as_new=True)
    async with handlers():
        await outcomes(servers.kafka, topics.outcomes, 2)
    letters = await dead_list(servers.kafka, topics)
    settled = await dead_settled(store, letters)
    assert settled == {letter.place: f"died again as {letters[-1].place}"}


async def test_a_verdict_of_another_tenant_settles_nothing(
    servers: Addresses, topics: Topics, handlers: Handlers, store: Store
) -> None:
    body, words = b'{"name":"rain"}', ("dataset.create.v1", "dataset.crate.v1")
    mine, other = (("ce_id", b"mine"), ("ce_tenant", b"other"))
    signed = sign(SECRET, id="mine", tenant="other", actor="ann", type=words[1], body=body)
    headers = [mine, other, ("ce_actor", b"ann"), ("ce_signature", signed.encode())]
    good: Raw = (None, body, [CREATE, mine])
    bad: Raw = (None, body, [("ce_type", words[1].encode()), *headers])
    letters = await died(servers, topics, handlers, good, bad)
    assert await dead_settled(store, letters, secret=SECRET) == {}
    assert await dead_settled(store, letters) == {letters[0].place: "accepted"}, "nobody signed"


async def test_what_is_no_dead_letter_is_passed_over(
    servers: Addresses, topics: Topics, store: Store
) -> None:
    await send(servers.kafka, topics.dead, (b"key", b"{}", []), (b"key", None, [CREATE]))
    assert await dead_list(servers.kafka, topics) == []
    assert await dead_redrive(servers.kafka, topics, store) == []


def test_a_record_that_had_come_through_compressed_is_cut_and_says_so() -> None:
    huge = record(b"x" * 50_000_000, {"a": b"y" * 5000}, key=b"z" * 5000)
    letter = letter_record(huge, DeadLetter("too-large", "Too large."))
    headers = dict(letter.headers)
    assert headers["dead-reason"] == b"Too large. It was too large to be kept whole."
    said = sum(len(name) + len(value) for name, value in letter.headers)
    assert len(letter.key or b"") + len(letter.value or b"") + said < LARGEST_LETTER


async def test_a_letter_of_the_largest_record_is_kept_whole(
    servers: Addresses, topics: Topics, handlers: Handlers
) -> None:
    largest = b"x" * 1_048_000
    (letter,) = await died(servers, topics, handlers, (None, largest, [CREATE]))
    assert letter.record.value == largest
