"""What is asked without an index is counted, sent as a command, and is advice."""

import asyncio

import pytest

from tests.gateway.running import Dataset, Running
from treering.app.advising import advise
from treering.domain.index_advice import STREAM, index_advice
from treering.projection import Projection
from treering.query import FilterSpec, Group, QueryOptions, SortSpec
from treering.reading import ReadModels
from treering.registry import Registry

pytestmark = pytest.mark.asyncio(loop_scope="module")
REGISTRY = Registry([index_advice])


async def sums(service: Running, events: int) -> object:
    """Return what was counted, once that many events say so."""
    async with asyncio.timeout(20):
        while len(stored := await service.reader.read_stream(STREAM)) < events:
            await asyncio.sleep(0.01)
    return index_advice.fold(index_advice.initial, [REGISTRY.recorded(each) for each in stored])


async def test_what_no_index_serves_is_counted_and_sent_once(service: Running) -> None:
    models = ReadModels(service.reader, [Projection.of(Dataset)])
    many = FilterSpec("rows", "gte", 5)
    deep = [FilterSpec(f"data.{name}", "eq", 1) for name in "ab"]
    for filters in ([many], [many, FilterSpec("id", "ne", "a")], [Group("or", deep)]):
        await models.list("datasets", QueryOptions(filters=filters))
    await models.list("datasets", QueryOptions(sort_by=[SortSpec("name")]))
    await models.list("datasets", QueryOptions(filters=[FilterSpec("id", "eq", "a"), many]))
    await models.get("datasets", "a")
    await advise(models, service.client)
    expected = {"datasets": {"rows": 3, "id[ne]": 1, "data.*": 2, "name": 1}}
    assert await sums(service, 1) == expected
    await advise(models, service.client)
    await models.total("datasets", QueryOptions(filters=[many]))
    await advise(models, service.client)
    assert await sums(service, 2) == {"datasets": {**expected["datasets"], "rows": 4}}
