"""What a subscriber gets of what was recorded."""

from tests.relay.conftest import Relays
from tests.relay.forest import Forest
from tests.relay.subscriber import assert_exactly_once, until
from treering.bus.partitions import partition_of
from treering.bus.topics import Topics
from treering.embedded import Addresses
from treering.store import Store


async def test_every_event_arrives_once_and_in_order(
    servers: Addresses, topics: Topics, forest: Forest, relays: Relays
) -> None:
    await forest.grow(40)
    async with relays():
        await until(servers.kafka, topics, 40)
        await forest.grow(500, at_once=50)
        found = await until(servers.kafka, topics, 540)
    assert_exactly_once(found, 540)


async def test_an_event_says_everything_in_its_headers(
    servers: Addresses, topics: Topics, forest: Forest, store: Store, relays: Relays
) -> None:
    await forest.add("tree/oak", '{"height":3}', type="created")
    (stored,) = await store.read(0, limit=1)
    async with relays():
        (seen,) = await until(servers.kafka, topics, 1)
    assert seen.topic == topics.events("tree")
    assert seen.partition == partition_of("tree/oak", 4)
    assert (seen.key, seen.value) == ("tree/oak", b'{"height":3}')
    assert seen.headers == {
        "ce_specversion": "1.0",
        "ce_id": stored.id,
        "ce_type": "tree.created.v1",
        "ce_source": f"/{topics.namespace}",
        "ce_subject": "tree/oak",
        "ce_time": "2026-01-01T12:00:00.000000Z",
        "ce_position": "1",
        "ce_streamversion": "1",
        "ce_recordedtime": stored.recorded_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "ce_epoch": (await store.head()).epoch,
        "ce_actor": "ann",
        "ce_correlationid": "because",
        "ce_causationid": stored.causation,
        "ce_dataschema": "/api/v1/schemas/tree.created.v1",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "content-type": "application/json",
    }


async def test_an_erased_event_is_sent_without_its_body(
    servers: Addresses, topics: Topics, forest: Forest, relays: Relays
) -> None:
    await forest.add("tree/oak", '{"height":3}', type="created")
    await forest.add("tree/oak", "{}", type="purged")
    async with relays():
        found = await until(servers.kafka, topics, 2)
    assert [(each.position, each.value) for each in found] == [(1, b"{}"), (2, b"{}")]


async def test_a_relay_says_how_far_it_is(
    servers: Addresses, topics: Topics, forest: Forest, relays: Relays
) -> None:
    async with relays() as relay:
        await forest.grow(30)
        await until(servers.kafka, topics, 30)
        assert relay.position == 30
        assert relay.statistics.active
        assert (relay.statistics.events, relay.statistics.lag) == (30, 0)
    assert not relay.statistics.active


async def test_the_next_relay_goes_on_where_the_last_one_stopped(
    servers: Addresses, topics: Topics, forest: Forest, relays: Relays
) -> None:
    for round_ in range(1, 4):
        async with relays():
            await forest.grow(10)
            assert_exactly_once(await until(servers.kafka, topics, 10 * round_), 10 * round_)
