"""A relay does not guess; it says what an operator can decide, and goes on from there."""

import asyncio

import pytest

from tests.relay.backup import delete, restore
from tests.relay.conftest import Relays
from tests.relay.forest import KINDS, Forest
from tests.relay.subscriber import assert_exactly_once, everything, until
from treering.bus.topics import Topics, create_topics
from treering.embedded import Addresses
from treering.errors import RelayStopped
from treering.relay import adopt, republish
from treering.store import Store
from treering.testing.fixtures import Database

CHOICE = r"run `treering relay adopt` .* or `treering relay republish`"


async def sent(servers: Addresses, topics: Topics, relays: Relays, position: int) -> None:
    async with relays():
        await until(servers.kafka, topics, position)


async def refused(relays: Relays) -> str:
    """Return why a relay stopped."""
    with pytest.raises(RelayStopped, match=CHOICE) as stopped:
        async with asyncio.timeout(20), relays() as relay:
            await relay.run(asyncio.Event())
    return str(stopped.value)


@pytest.fixture
async def lost(servers: Addresses, topics: Topics, forest: Forest, relays: Relays) -> None:
    """Send 10 events, record 2 more, and lose the checkpoint."""
    await forest.grow(10)
    await sent(servers, topics, relays, 10)
    await forest.grow(2)
    await delete(servers.kafka, topics.relay)
    await create_topics(servers.kafka, topics, KINDS, partitions=4, replication=1)


@pytest.mark.usefixtures("lost")
async def test_a_lost_checkpoint_is_not_guessed(
    servers: Addresses, topics: Topics, relays: Relays
) -> None:
    assert "no checkpoint" in await refused(relays)
    assert len(await everything(servers.kafka, topics)) == 10


@pytest.mark.usefixtures("lost")
async def test_a_lost_checkpoint_can_be_adopted_from_what_is_there(
    servers: Addresses, topics: Topics, database: Database, store: Store, relays: Relays
) -> None:
    epoch = (await store.head()).epoch
    mark = await adopt(servers.kafka, store, kinds=KINDS, owner=database.owner)
    assert (mark.position, mark.epoch) == (10, epoch)
    async with relays():
        assert_exactly_once(await until(servers.kafka, topics, 12), 12)


@pytest.mark.usefixtures("lost")
async def test_an_operator_may_say_up_to_where_events_were_sent(
    servers: Addresses, topics: Topics, database: Database, store: Store, relays: Relays
) -> None:
    await adopt(servers.kafka, store, kinds=KINDS, owner=database.owner, position=11)
    async with relays() as relay:
        async with asyncio.timeout(20):
            while relay.position < 12:
                await asyncio.sleep(0.01)
    found = {each.position for each in await everything(servers.kafka, topics)}
    assert found == {*range(1, 11), 12}


@pytest.mark.parametrize("position", [7, -1])
async def test_a_position_that_the_store_does_not_have_is_not_adopted(
    servers: Addresses, topics: Topics, database: Database, store: Store, position: int
) -> None:
    with pytest.raises(RelayStopped, match=rf"no event at position {position};.*adopt"):
        await adopt(servers.kafka, store, kinds=KINDS, owner=database.owner, position=position)
    assert await everything(servers.kafka, topics) == []


async def test_an_older_backup_is_seen_by_another_event_in_the_same_place(
    servers: Addresses, topics: Topics, database: Database, store: Store, relays: Relays
) -> None:
    await Forest(store).grow(10)
    await sent(servers, topics, relays, 10)
    await restore(database, 0)
    await Forest(store).grow(15)
    assert "restored from a backup" in await refused(relays)


async def test_an_older_backup_is_seen_by_a_missing_event(
    servers: Addresses, topics: Topics, database: Database, forest: Forest, relays: Relays
) -> None:
    await forest.grow(10)
    await sent(servers, topics, relays, 10)
    await restore(database, 9)
    assert "restored from a backup" in await refused(relays)


async def test_another_epoch_is_not_guessed(
    servers: Addresses, topics: Topics, database: Database, forest: Forest, relays: Relays
) -> None:
    await forest.grow(10)
    await sent(servers, topics, relays, 10)
    await restore(database, 10, epoch="another")
    assert "restored from a backup" in await refused(relays)


async def test_a_restored_store_is_adopted_from_where_both_agree_in_a_new_epoch(
    servers: Addresses, topics: Topics, database: Database, store: Store, relays: Relays
) -> None:
    forest = Forest(store, streams=1)
    await forest.grow(10)
    await sent(servers, topics, relays, 10)
    before = (await store.head()).epoch
    await restore(database, 6)
    again = Forest(store, streams=1)
    await again.add("tree/new", *["{}"] * 8)
    mark = await adopt(servers.kafka, store, kinds=KINDS, owner=database.owner)
    assert mark.position == 6
    assert mark.epoch == (await store.head()).epoch != before
    await sent(servers, topics, relays, 14)
    found = await everything(servers.kafka, topics)
    new = [each for each in found if each.headers["ce_epoch"] == mark.epoch]
    assert [each.position for each in new] == [*range(7, 15)]
    assert len(found) == 18


async def test_nothing_is_adopted_while_a_relay_is_at_work(
    servers: Addresses,
    database: Database,
    store: Store,
    relays: Relays,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("treering.relay.turn._PATIENCE_SECONDS", 0.5)
    async with relays() as relay:
        async with asyncio.timeout(20):
            while not relay.statistics.active:
                await asyncio.sleep(0.01)
        with pytest.raises(RelayStopped, match="is at work"):
            await adopt(servers.kafka, store, kinds=KINDS, owner=database.owner)


async def test_events_can_be_sent_again_to_another_topic(
    servers: Addresses, topics: Topics, forest: Forest, store: Store, relays: Relays
) -> None:
    await forest.grow(30)
    await sent(servers, topics, relays, 30)
    other = f"{topics.namespace}.again"
    assert await republish(servers.kafka, store, kinds=KINDS, start=11, topic=other) == 20
    live = await everything(servers.kafka, topics)
    again = await everything(servers.kafka, topics, names=[other])
    assert sorted(each.position for each in again) == [*range(11, 31)]
    told = {each.position: (each.key, each.value, each.headers) for each in live}
    assert all(told[each.position] == (each.key, each.value, each.headers) for each in again)


async def test_events_are_not_sent_again_to_a_live_topic_that_has_some(
    servers: Addresses, topics: Topics, forest: Forest, store: Store, relays: Relays
) -> None:
    await forest.grow(10)
    await sent(servers, topics, relays, 10)
    with pytest.raises(RelayStopped, match="twice; give `treering relay republish` another"):
        await republish(servers.kafka, store, kinds=KINDS, start=1, topic=topics.events("tree"))
    with pytest.raises(RelayStopped, match="no topic of events"):
        await republish(servers.kafka, store, kinds=KINDS, start=1, topic=topics.commands)
    assert_exactly_once(await everything(servers.kafka, topics), 10)


@pytest.mark.parametrize("start", [0, -3000])
async def test_events_from_before_the_first_are_not_sent_again(
    servers: Addresses, store: Store, start: int
) -> None:
    with pytest.raises(RelayStopped, match="give `treering relay republish` --from 1, or later"):
        await republish(servers.kafka, store, kinds=KINDS, start=start, topic="again")


async def test_an_empty_live_topic_may_be_filled_and_the_relay_sends_none_of_it_twice(
    servers: Addresses, topics: Topics, forest: Forest, store: Store, relays: Relays
) -> None:
    await forest.grow(20)
    await sent(servers, topics, relays, 20)
    await forest.grow(6)
    await delete(servers.kafka, topics.events("tree"))
    await create_topics(servers.kafka, topics, KINDS, partitions=4, replication=1)
    await republish(servers.kafka, store, kinds=KINDS, start=1, topic=topics.events("tree"))
    async with relays():
        await forest.grow(6)
        assert_exactly_once(await until(servers.kafka, topics, 32), 32)
