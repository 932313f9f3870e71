"""What is large is refused where Kafka would not take it, and holds nobody else up."""

import asyncio
from time import monotonic

from tests.handling.kinds import REGISTRY, said
from tests.handling.test_outcomes import one
from treering.domain.config import StoredConfig
from treering.entity import Create, Patch, Update
from treering.handling import Handling
from treering.registry import Registry
from treering.store import Store

CONFIGS = Registry([StoredConfig.decider()])


async def test_an_event_that_would_not_pass_through_kafka_is_refused(store: Store) -> None:
    configs = Handling(store, CONFIGS)
    numbers = {"name": "many", "data": {"a": [1e9] * 100_000}}
    refused = await one(configs, said("config/1", Create(fields=numbers)))
    assert refused.problem is not None
    assert refused.problem["type"] == "urn:treering:error:too-large"
    assert refused.problem["status"] == 413
    half = {"name": "half", "data": {"a": "x" * 600_000}}
    assert (await one(configs, said("config/2", Create(fields=half)))).outcome == "accepted"
    more = Patch(fields={"data": {"b": "ü" * 300_000}})
    assert (await one(configs, said("config/2", more))).outcome == "refused"
    assert (await store.head()).position == 1


class Ticking:
    """Measures for how long the loop was kept from others."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def run(self) -> None:
        """Tick for ever."""
        last = monotonic()
        while True:
            await asyncio.sleep(0.001)
            now = monotonic()
            self.longest, last = max(self.longest, now - last), now


async def test_long_work_lets_others_have_their_turn(store: Store) -> None:
    configs = Handling(store, CONFIGS)
    large = {"name": "large", "data": {str(n): [n] * 5 for n in range(25_000)}}
    await one(configs, said("config/1", Create(fields=large)))
    batch = [said("config/1", Update(fields={"name": f"n{n}"})) for n in range(30)]
    ticking = Ticking()
    began = monotonic()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(ticking.run())
        found = await configs.handle(batch)
        took = monotonic() - began
        task.cancel()
    assert all(each.outcome == "accepted" for each in found)
    assert ticking.longest < took / 3


async def test_a_long_stream_is_folded_in_short_pieces(store: Store) -> None:
    datasets = Handling(store, REGISTRY)
    await one(datasets, said("dataset/1", Create(fields={"name": "rain"})))
    await datasets.handle([said("dataset/1", Update(fields={"rows": n})) for n in range(1, 20_000)])
    later = Handling(store, REGISTRY)
    ticking = Ticking()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(ticking.run())
        outcome = await one(later, said("dataset/1", Update(fields={"rows": 0})))
        task.cancel()
    assert outcome.version == 20_001
    assert ticking.longest < 1
