"""A builder that is killed goes on or starts again, and never puts a wrong build in place."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator

import asyncpg
import pytest

from tests.projection.conftest import Folding
from tests.projection.versions import becomes, counting
from tests.projection.world import (
    COUNTS,
    REGISTRY,
    append,
    becomes_live,
    counted,
    create,
    fields,
    parcel,
    table,
)  # fmt: skip
from treering.entity import Created, Updated
from treering.projection import rebuild
from treering.projection.announcing import rebuild_lock
from treering.projection.build import schema_for
from treering.reading import ReadModels
from treering.sql import statement
from treering.store import Reader, Store
from treering.testing.fixtures import Database

type Start = Callable[..., subprocess.Popen[bytes]]

BEFORE = counting("before")
POINTS = ["projector-before-commit", "projector-after-commit", "build-compared"]


@pytest.fixture
def start(database: Database) -> Generator[Start]:
    """Return what starts a builder as a process; none is left in the end."""
    children: list[subprocess.Popen[bytes]] = []

    def begin(how: str, crash: str = "") -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.projection.child", database.writer]
        child = subprocess.Popen(
            [*command, database.namespace, how], env={**os.environ, "TREERING_TEST_CRASH": crash}
        )
        children.append(child)
        return child

    yield begin
    for child in children:
        child.kill()
        child.wait()


async def fill(store: Store) -> None:
    """Append more than is read at once."""
    pieces = [Updated(fields={"pieces": n}) for n in range(2500)]
    await append(store, parcel(), Created(fields=fields("tea")), *pieces)
    await create(store, ["tea", "oil", "oil"])


async def ended(child: subprocess.Popen[bytes]) -> int:
    """Return how *child* ended."""
    async with asyncio.timeout(30):
        while child.poll() is None:
            await asyncio.sleep(0.01)
    return child.returncode


@pytest.mark.parametrize("point", [*POINTS, "build-judged", "build-taken-up"])
async def test_a_new_version_whose_builder_is_killed_is_built_by_the_next_one(
    point: str,
    store: Store,
    folding: Folding,
    reader: Reader,
    models: ReadModels,
    start: Start,
) -> None:
    await fill(store)
    before = ReadModels(reader, [BEFORE])
    async with folding([BEFORE]):
        await becomes(before, "live")
    await before.close()
    assert await ended(start("alone", point)) == -signal.SIGKILL
    async with folding([COUNTS]):
        last = await create(store, ["tea"])
        assert await models.wait("counts", last, 20)
    assert await counted(models) == {"oil": 2, "tea": 3}


async def test_rebuilds_that_are_killed_leave_what_is_read_and_the_next_one_clears_up(
    store: Store,
    connection: asyncpg.Connection,
    folding: Folding,
    models: ReadModels,
    database: Database,
    start: Start,
) -> None:
    await fill(store)
    async with folding([COUNTS]):
        assert await models.wait("counts", 2504, 20)
        await becomes_live(models, "counts")
        for point in POINTS:
            assert await ended(start("rebuilding", point)) == -signal.SIGKILL
            assert (await counted(models))["tea"] == 2
            await released(connection, schema_for(store.namespace))
        last = await create(store, ["salt"])
        assert await models.wait("counts", last, 20)
        rebuilt = await rebuild(store, REGISTRY, COUNTS, namespace=store.namespace)
        assert (rebuilt.differs, rebuilt.is_taken_up) == ("", True)
    (row,) = await table(database, "projection")
    assert row["build"] > 1
    assert await counted(models) == {"oil": 2, "salt": 1, "tea": 2}


async def released(connection: asyncpg.Connection, schema: str) -> None:
    """Return when PostgreSQL has noticed that a rebuild is dead."""
    lock = rebuild_lock(schema, "counts")
    async with asyncio.timeout(20):
        while not await connection.fetchval(statement("projection_lock_until_end"), lock):
            await asyncio.sleep(0.01)
