"""Topics that an operator has made or changed, and events that do not fit."""

import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.relay.conftest import Relays
from tests.relay.forest import KINDS, Forest
from tests.relay.subscriber import assert_exactly_once, everything, until
from treering.bus.topics import Topics, create_topics
from treering.embedded import Addresses
from treering.errors import BusError, RelayStopped, UnknownMessage
from treering.relay.topic import make, retention


async def made(servers: Addresses, name: str, **configs: str) -> None:
    """Make a topic as an operator would."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers.kafka)
    await admin.start()
    settings = {key.replace("_", "."): value for key, value in configs.items()}
    await admin.create_topics([NewTopic(name, 4, 1, topic_configs=settings)])
    await admin.close()


@pytest.fixture
async def compacted(servers: Addresses, namespace: str) -> None:
    """Make a topic that keeps the newest record of each key, before the service does."""
    await made(servers, Topics(namespace).events("tree"), cleanup_policy="compact")


@pytest.fixture
async def narrow(servers: Addresses, namespace: str) -> None:
    """Make a topic that takes little at once, before the service does."""
    await made(servers, Topics(namespace).events("tree"), max_message_bytes="2000")


@pytest.mark.usefixtures("compacted")
async def test_a_compacted_topic_forgets_what_was_purged(
    servers: Addresses, topics: Topics, forest: Forest, relays: Relays
) -> None:
    await forest.add("tree/oak", '{"height":3}', type="created")
    await forest.add("tree/oak", "{}", type="purged")
    await forest.add("ring/1", "{}", type="purged")
    async with relays():
        await until(servers.kafka, topics, 3)
        found = await everything(servers.kafka, topics, tombstones=True)
    last = {each.key: each.value for each in found}
    assert last == {"tree/oak": None, "ring/1": b"{}"}
    assert len(found) == 4


@pytest.mark.usefixtures("narrow")
async def test_an_event_too_large_for_its_topic_stops_the_relay(
    servers: Addresses, topics: Topics, forest: Forest, relays: Relays
) -> None:
    await forest.add("tree/oak", "{}")
    async with relays():
        await until(servers.kafka, topics, 1)
    await forest.add("ring/1", "{}")
    await forest.add("tree/oak", '{"name":"' + "x" * 3000 + '"}')
    with pytest.raises(RelayStopped, match=f"{topics.events('tree')}.*raise its max.message.bytes"):
        async with asyncio.timeout(20), relays() as relay:
            await relay.run(asyncio.Event())
    assert_exactly_once(await everything(servers.kafka, topics), 1)


async def test_an_event_of_an_unknown_kind_stops_the_relay(
    servers: Addresses, topics: Topics, forest: Forest, relays: Relays
) -> None:
    await forest.add("leaf/1", "{}")
    with pytest.raises(UnknownMessage, match=r"leaf/1.*run the newer one"):
        async with asyncio.timeout(20), relays() as relay:
            await relay.run(asyncio.Event())
    assert await everything(servers.kafka, topics) == []


async def test_a_kind_that_came_later_is_sent_too(
    servers: Addresses, namespace: str, forest: Forest, relays: Relays
) -> None:
    topics = Topics(namespace)
    await forest.grow(12)
    async with relays():
        await until(servers.kafka, topics, 12)
    await create_topics(servers.kafka, topics, [*KINDS, "leaf"], partitions=4, replication=1)
    async with relays():
        await forest.grow(6)
        assert_exactly_once(await until(servers.kafka, topics, 18), 18)


async def test_a_topic_says_for_how_long_it_keeps_records(
    servers: Addresses, topics: Topics
) -> None:
    kept = await retention(servers.kafka, topics.events("tree"))
    assert kept is not None
    assert kept.days == 30
    assert await retention(servers.kafka, topics.relay) is None
    await make(servers.kafka, f"{topics.namespace}.other", 2)
    assert await retention(servers.kafka, f"{topics.namespace}.other") is None


async def test_a_kafka_that_is_not_there_is_named() -> None:
    with pytest.raises(BusError, match=r"127\.0\.0\.1:1"):
        await retention("127.0.0.1:1", "any")
