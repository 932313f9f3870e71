"""What others have done to the topics of events: it is seen, and not guessed about."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from tests.relay.backup import delete
from tests.relay.conftest import Relays
from tests.relay.forest import KINDS, Forest
from tests.relay.subscriber import everything, until
from treering.bus.topics import Topics, create_topics
from treering.embedded import Addresses
from treering.errors import RelayStopped
from treering.store import Store
from treering.store.connecting import schema_of
from treering.testing.fixtures import Database


@asynccontextmanager
async def producing(servers: Addresses, **options: Any) -> AsyncGenerator[Any]:
    producer: Any = AIOKafkaProducer(bootstrap_servers=servers.kafka, **options)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def forge(servers: Addresses, topic: str, headers: Mapping[str, str]) -> None:
    """Write what looks like an event."""
    said = [(name, value.encode()) for name, value in headers.items()]
    async with producing(servers) as producer:
        await producer.send_and_wait(topic, b"{}", b"tree/forged", partition=0, headers=said)


async def refused(relays: Relays) -> str:
    with pytest.raises(RelayStopped, match="treering relay republish") as stopped:
        async with asyncio.timeout(30), relays() as relay:
            await relay.run(asyncio.Event())
    return str(stopped.value)


@pytest.fixture
async def ten(servers: Addresses, topics: Topics, forest: Forest, relays: Relays) -> None:
    """Send 10 events."""
    await forest.grow(10)
    async with relays():
        await until(servers.kafka, topics, 10)


@pytest.mark.usefixtures("ten")
async def test_events_that_the_store_does_not_have_stop_the_relay(
    servers: Addresses, topics: Topics, store: Store, relays: Relays
) -> None:
    epoch = (await store.head()).epoch
    forged = {"ce_position": "99", "ce_id": "forged", "ce_epoch": epoch}
    await forge(servers, topics.events("tree"), forged)
    assert "Kafka holds events that the store does not, up to position 99" in await refused(relays)


@pytest.mark.usefixtures("ten")
async def test_events_of_another_epoch_at_the_end_stop_the_relay(
    servers: Addresses, topics: Topics, relays: Relays
) -> None:
    forged = {"ce_position": "11", "ce_id": "forged", "ce_epoch": "another"}
    await forge(servers, topics.events("tree"), forged)
    assert "events of another epoch" in await refused(relays)


@pytest.mark.usefixtures("ten")
async def test_records_that_are_no_events_are_passed_over(
    servers: Addresses, topics: Topics, forest: Forest, relays: Relays
) -> None:
    await forge(servers, topics.events("tree"), {"said": "by somebody"})
    async with relays() as relay:
        await forest.grow(4)
        async with asyncio.timeout(20):
            while relay.position < 14:
                await asyncio.sleep(0.01)


@pytest.mark.usefixtures("ten")
async def test_a_transaction_that_nobody_can_end_is_named(
    servers: Addresses, topics: Topics, relays: Relays, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treering.relay.resume._SWEEP_SECONDS", 0.5)
    async with producing(servers, transactional_id=f"{topics.namespace}.stranger") as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(topics.events("tree"), b"{}", b"tree/1", partition=0)
        assert f"nobody can end blocks {topics.events('tree')}" in await refused(relays)
        await producer.abort_transaction()


@pytest.mark.usefixtures("ten")
async def test_a_transaction_left_open_is_seen_when_all_is_quiet(
    servers: Addresses,
    topics: Topics,
    forest: Forest,
    relays: Relays,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("treering.relay.resume._SWEEP_SECONDS", 0.5)
    monkeypatch.setattr("treering.relay.relay._QUIET_SECONDS", 0.3)

    async def meet(stranger: Any) -> None:
        async with asyncio.timeout(30), relays() as relay:
            await forest.grow(1)
            await until(servers.kafka, topics, 11)
            await stranger.send_and_wait(topics.events("tree"), b"{}", b"tree/1", partition=0)
            await forest.grow(1)
            await relay.run(asyncio.Event())

    async with producing(servers, transactional_id=f"{topics.namespace}.stranger") as stranger:
        await stranger.begin_transaction()
        with pytest.raises(RelayStopped, match="nobody can end"):
            await meet(stranger)
        await stranger.abort_transaction()


@pytest.mark.usefixtures("ten")
async def test_what_a_topic_did_not_keep_is_not_sent_again(
    servers: Addresses, topics: Topics, forest: Forest, relays: Relays
) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers.kafka)
    await admin.start()
    places = [TopicPartition(topics.events("tree"), n) for n in range(4)]
    await admin.delete_records({each: RecordsToDelete(before_offset=-1) for each in places})
    await admin.close()
    kept = [each.position for each in await everything(servers.kafka, topics)]
    async with relays() as relay:
        await forest.grow(1)
        async with asyncio.timeout(20):
            while relay.position < 11:
                await asyncio.sleep(0.01)
    found = [each.position for each in await everything(servers.kafka, topics)]
    assert sorted(found) == sorted([*kept, 11])
    assert len(kept) == 5


@pytest.mark.usefixtures("ten")
async def test_a_topic_that_was_lost_gets_what_it_would_still_keep(
    servers: Addresses, topics: Topics, database: Database, relays: Relays
) -> None:
    connection = await asyncpg.connect(
        database.owner, server_settings={"search_path": schema_of(database.namespace)}
    )
    await connection.execute("alter table events disable trigger events_stay")
    await connection.execute(
        "update events set recorded_at = recorded_at - interval '31 days' where position <= 6"
    )
    await connection.close()
    await delete(servers.kafka, topics.events("tree"))
    await create_topics(servers.kafka, topics, KINDS, partitions=4, replication=1)
    async with relays() as relay:
        async with asyncio.timeout(20):
            while not relay.statistics.transactions:
                await asyncio.sleep(0.01)
        found = await everything(servers.kafka, topics, names=[topics.events("tree")])
    assert sorted(each.position for each in found) == [7, 9]
