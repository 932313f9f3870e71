"""How many rows match: counted, or about how many the planner expects."""

import asyncio

import pytest

from treering.query import Cursor, FilterSpec, QueryOptions
from treering.reading import ReadModels

HEAVY = FilterSpec("weight", "gte", 900)


async def test_a_planned_count_is_near_without_counting(many: ReadModels) -> None:
    asked = QueryOptions(filters=[HEAVY], count="planned")
    assert await many.total("parcels", QueryOptions(filters=[HEAVY])) == 101
    assert 60 < await many.total("parcels", asked) < 140
    assert await many.total("parcels", QueryOptions(count="planned")) == 1001


async def test_a_planned_total_is_no_less_than_what_was_shown(many: ReadModels) -> None:
    unlikely = FilterSpec("name", "like", "%n%")
    asked = QueryOptions(filters=[unlikely], count="planned", limit=10, offset=980)
    found = await many.list("parcels", asked)
    assert found.rows == 10
    assert (found.total or 0) >= 990


@pytest.mark.parametrize("offset", [0, 95, 500], ids=["all", "the last", "beyond"])
async def test_a_planned_total_is_right_where_the_end_is_seen(
    many: ReadModels, offset: int
) -> None:
    asked = QueryOptions(filters=[HEAVY], count="planned", limit=200, offset=offset)
    found = await many.list("parcels", asked)
    if found.rows:
        assert found.total == 101
    else:
        assert 60 < (found.total or 0) < 140


async def test_a_planned_count_goes_with_a_cursor(many: ReadModels) -> None:
    asked = QueryOptions(filters=[HEAVY], count="planned", limit=5, cursor=Cursor())
    first, second = await asyncio.gather(many.list("parcels", asked), many.list("parcels", asked))
    assert first.total == second.total
    assert 60 < (first.total or 0) < 140
