"""Rows as JSON: the values that outcomes show."""

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.projection.parcels import commands, told
from tests.projection.world import PARCELS, Parcel, shown
from treering.message import Command
from treering.projection.build import Build, begin, tables_of
from treering.projection.follower import Follower, Mark
from treering.projection.ground import Ground
from treering.query import QueryOptions
from treering.reading.selecting import Source, chosen, some


@pytest.fixture
async def build(ground: Ground, connection: asyncpg.Connection) -> Build:
    return await begin(connection, PARCELS, ground.schema)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(commands, max_size=6), in_two=st.booleans())
async def test_a_row_shows_what_an_outcome_shows(
    ground: Ground,
    connection: asyncpg.Connection,
    build: Build,
    said: list[Command],
    *,
    in_two: bool,
) -> None:
    recorded = told("parcel/1", said)
    transaction = connection.transaction()
    await transaction.start()
    follower = Follower(PARCELS, build, ground.schema)
    for event in recorded:
        follower.fold(event)
        if in_two:
            await follower.write(connection)
            follower.reached = Mark(event.position, event.id)
            follower.settle()
    await follower.write(connection)
    table = tables_of(PARCELS, build, ground.schema)[PARCELS.tables[0]]
    source = Source(table, PARCELS.shape, "C", build)
    each = chosen(source, QueryOptions(include_deleted=True))
    found = await connection.fetchval(each.sql, ["1"], column=1)
    every = some(source, QueryOptions(include_deleted=True))
    listed = await connection.fetchrow(every.sql, None, 0)
    await transaction.rollback()
    decider = Parcel.decider()
    outcome = decider.represent("parcel/1", decider.fold(decider.initial, recorded))
    expected = msgspec.json.decode(msgspec.json.encode(outcome))
    assert exact(shown(found)) == exact(expected)
    assert listed is not None
    assert shown(listed["items"]) == ([] if expected is None else [expected])


def exact(value: object) -> str:
    """Return *value* with its types and its order: 1 is not 1.0 here, nor True."""
    return repr(value)
