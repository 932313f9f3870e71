"""Events that are large: what is read, waits and is sent at once is bounded by bytes as well."""

import pytest

from tests.relay.conftest import Relays
from tests.relay.forest import KINDS, Forest
from tests.relay.subscriber import assert_exactly_once, everything, until
from treering.bus.topics import Topics
from treering.embedded import Addresses
from treering.relay import republish
from treering.relay.ahead import Ahead
from treering.store import Store

EVENTS = 40
PAGE = 10
"""Events of 800 kB that one read takes."""


@pytest.fixture
async def large(forest: Forest) -> None:
    """Record events of 800 kB."""
    body = f'{{"rings":"{"o" * 800_000}"}}'
    for n in range(EVENTS):
        await forest.add(f"tree/{n}", body)


@pytest.mark.usefixtures("large")
async def test_large_events_are_read_ahead_one_full_read_at_a_time(store: Store) -> None:
    taken: list[int] = []
    async with Ahead.open(store, 0, limit=1000) as ahead:
        while sum(taken) < EVENTS:
            taken.append(len(await ahead.take()))
    assert taken == [PAGE] * (EVENTS // PAGE)


@pytest.mark.usefixtures("large")
async def test_large_events_are_sent_in_several_transactions(
    servers: Addresses, topics: Topics, relays: Relays
) -> None:
    async with relays() as relay:
        assert_exactly_once(await until(servers.kafka, topics, EVENTS), EVENTS)
        assert relay.statistics.transactions == EVENTS // PAGE


@pytest.mark.usefixtures("large")
async def test_large_events_are_all_sent_again(
    servers: Addresses, topics: Topics, store: Store
) -> None:
    other = f"{topics.namespace}.again"
    assert await republish(servers.kafka, store, kinds=KINDS, start=2, topic=other) == EVENTS - 1
    again = await everything(servers.kafka, topics, names=[other])
    assert sorted(each.position for each in again) == [*range(2, EVENTS + 1)]
