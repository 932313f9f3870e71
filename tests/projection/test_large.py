"""Events that are large: what is read and waits to be written is bounded by bytes as well."""

from collections.abc import Sequence

import asyncpg
import pytest

from tests.projection.conftest import Folding
from tests.projection.world import (
    COUNTS,
    REGISTRY,
    append,
    becomes_live,
    counted,
    create,
    fields,
    parcel,
)  # fmt: skip
from treering.entity import Created
from treering.projection import rebuild
from treering.projection.build import begin
from treering.projection.follower import Follower
from treering.projection.ground import Ground
from treering.projection.pack import Pack
from treering.reading import ReadModels
from treering.store import Store

EVENTS = 40
PAGE = 10
"""Events of 800 kB that one read takes."""


async def grow(store: Store) -> int:
    """Append parcels of 800 kB; return the last position."""
    large = fields("tea", contents={"leaves": "o" * 800_000})
    position = 0
    for _ in range(EVENTS):
        position = await append(store, parcel(), Created(fields=large))
    return position


@pytest.fixture
async def follower(ground: Ground, connection: asyncpg.Connection) -> Follower:
    """Return a follower with an empty build."""
    build = await begin(connection, COUNTS, ground.schema)
    return Follower(COUNTS, build, ground.schema)


async def steps(pack: Pack, follower: Follower) -> Sequence[tuple[int, int]]:
    """Return up to where *follower* has read, and written, after each step to the end."""
    found: list[tuple[int, int]] = []
    has_all = False
    while not has_all:
        has_all = await pack.step()
        found.append((follower.reached.position, follower.written.position))
    return found


async def test_large_events_are_projected_to_the_last(
    store: Store, models: ReadModels, folding: Folding
) -> None:
    last = await grow(store)
    async with folding():
        assert await models.wait("counts", last, 20)
        assert await models.wait("parcels", last, 20)
        assert await becomes_live(models, "counts")
    rebuilt = await rebuild(store, REGISTRY, COUNTS, namespace=store.namespace)
    assert rebuilt.position == last
    assert await counted(models) == {"tea": EVENTS}


async def test_large_events_are_written_before_many_wait(
    store: Store, ground: Ground, connection: asyncpg.Connection, follower: Follower
) -> None:
    await create(store, ["oil"])
    pack = Pack(ground, connection, [follower])
    assert await pack.step()
    last = await grow(store)
    read = range(1 + PAGE, last + 1, PAGE)
    assert await steps(pack, follower) == [
        (read[0], 1),
        (read[1], read[1]),
        (read[2], read[1]),
        (read[3], read[3]),
        (last, last),
    ]


async def test_large_events_are_copied_in_several_parts(
    store: Store,
    ground: Ground,
    connection: asyncpg.Connection,
    follower: Follower,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("treering.projection.pack._MOST_COPIED", 20_000_000)
    await grow(store)
    written = [
        written for _, written in await steps(Pack(ground, connection, [follower]), follower)
    ]
    assert written == [0, 0, 3 * PAGE, 3 * PAGE, EVENTS]
