"""The kit's client."""

import asyncio

import pytest

from tests.bus.conftest import SECRET, Handlers
from tests.bus.raw import send
from treering.bus import LARGEST_BODY, Client, OutcomeTimeout, Topics
from treering.embedded import Addresses
from treering.errors import BusError
from treering.store import Store


async def test_without_a_handler_the_answer_names_the_command_and_where_to_ask(
    client: Client,
) -> None:
    with pytest.raises(OutcomeTimeout, match="GET /api/v1/commands/mine") as caught:
        await client.ask("dataset.create.v1", {"name": "rain"}, id="mine", timeout=0.1)
    assert caught.value.command == "mine"


async def test_who_waited_in_vain_knows_whether_kafka_has_the_command(client: Client) -> None:
    await client.publish("dataset.create.v1", {"name": "rain"})
    with pytest.raises(OutcomeTimeout) as late:
        await client.ask("dataset.create.v1", {"name": "rain"}, timeout=1)
    with pytest.raises(OutcomeTimeout) as early:
        await client.ask("dataset.create.v1", {"name": "rain"}, timeout=0)
    assert (late.value.is_taken, early.value.is_taken) == (True, False)


async def test_what_timed_out_is_still_decided_and_can_be_asked_again(
    handlers: Handlers, client: Client
) -> None:
    with pytest.raises(OutcomeTimeout):
        await client.ask("dataset.create.v1", {"name": "rain"}, id="mine", timeout=0.1)
    async with handlers():
        outcome = await client.ask("dataset.create.v1", {"name": "rain"}, id="mine")
    assert (outcome.outcome, outcome.version) == ("accepted", 1)


async def test_a_published_command_is_acknowledged_and_has_the_id_it_was_given(
    handlers: Handlers, client: Client, store: Store
) -> None:
    given = await client.publish("dataset.create.v1", b'{"name":"rain"}', id="mine")
    made = await client.publish("dataset.create.v1", {"name": "snow"}, correlation="mine")
    async with handlers(), asyncio.timeout(10):
        while (await store.head()).position < 2:
            await asyncio.sleep(0.01)
    assert given == "mine"
    events = {event.causation: event for event in await store.read(0)}
    assert events.keys() == {"mine", made}
    assert events[made].correlation == "mine"


async def test_a_client_without_the_secret_speaks_as_kafka(
    servers: Addresses, topics: Topics, handlers: Handlers, store: Store
) -> None:
    stranger = Client(servers.kafka, namespace=topics.namespace, source="/x", actor="ann")
    async with handlers(), stranger:
        await stranger.ask("dataset.create.v1", {"name": "rain"})
    assert [event.actor for event in await store.read(0)] == ["kafka"]


async def test_where_signatures_are_required_a_stranger_is_told_so(
    servers: Addresses, topics: Topics, handlers: Handlers, client: Client, store: Store
) -> None:
    stranger = Client(servers.kafka, namespace=topics.namespace, secret=b"wrong", source="/x")
    async with handlers(require_signature=True), stranger:
        refused = await stranger.ask("dataset.create.v1", {"name": "rain"}, id="mine")
        accepted = await client.ask("dataset.create.v1", {"name": "snow"}, id="mine")
    assert refused.dead
    assert refused.problem
    assert refused.problem["type"] == "urn:treering:error:unsigned"
    assert accepted.outcome == "accepted", "a dead letter leaves no verdict"
    assert (await store.head()).position == 1


async def test_forged_and_broken_outcomes_disturb_nobody(
    servers: Addresses, topics: Topics, handlers: Handlers, client: Client
) -> None:
    broken = [(b"mine", value, [("ce_id", b"mine")]) for value in (None, b"", b"{", b"[]")]
    async with handlers():
        for partition in range(4):
            await send(servers.kafka, topics.outcomes, *broken, partition=partition)
        outcome = await client.ask("dataset.create.v1", {"name": "rain"}, id="mine")
    assert outcome.outcome == "accepted"


async def test_too_large_a_body_is_not_even_sent(client: Client) -> None:
    with pytest.raises(BusError, match="900000 are allowed"):
        await client.publish("dataset.create.v1", b"x" * (LARGEST_BODY + 1))


@pytest.mark.parametrize("faults", [4_000, 20_000])
async def test_a_refusal_that_is_long_arrives_whole_or_shortened(
    handlers: Handlers, client: Client, faults: int
) -> None:
    many = {f"field-{number:06}": number for number in range(faults)}
    async with handlers():
        outcome = await client.ask("dataset.create.v1", {"name": "rain", **many}, timeout=60)
    assert outcome.problem
    assert outcome.problem["status"] == 422
    assert len(outcome.problem["errors"]) in (faults, 100)


async def test_many_large_outcomes_of_one_batch_all_arrive(
    handlers: Handlers, client: Client
) -> None:
    data = {"text": "x" * 60_000}
    asking = [
        asyncio.create_task(client.ask("config.create.v1", {"name": "x", "data": data}))
        for _ in range(12)
    ]
    async with asyncio.timeout(10):
        while client.waiting < len(asking):
            await asyncio.sleep(0.01)
    async with handlers():
        outcomes = await asyncio.gather(*asking)
    assert [outcome.entity and outcome.entity["data"] for outcome in outcomes] == [data] * 12


async def test_who_waits_when_the_client_is_stopped_is_told_so(
    servers: Addresses, topics: Topics
) -> None:
    client = Client(servers.kafka, namespace=topics.namespace, secret=SECRET, source="/test")
    await client.start()
    asking = asyncio.create_task(client.ask("dataset.create.v1", {"name": "rain"}))
    async with asyncio.timeout(10):
        while not client.waiting:
            await asyncio.sleep(0.01)
    await client.stop()
    with pytest.raises(BusError, match=r"stopped|under the same id is safe"):
        await asking
    with pytest.raises(BusError, match="not started"):
        await client.publish("dataset.create.v1", {"name": "rain"})


async def test_a_client_says_when_there_is_no_kafka_and_when_there_are_no_topics(
    servers: Addresses,
) -> None:
    with pytest.raises(BusError, match=r"127\.0\.0\.1:1"):
        await Client("127.0.0.1:1", namespace="nobody", source="/x").start()
    with pytest.raises(BusError, match=r"nobody\.commands"):
        await Client(servers.kafka, namespace="nobody", source="/x").start()
