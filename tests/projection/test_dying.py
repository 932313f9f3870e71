"""Whatever happens to projectors, a read model is the fold of the events up to its position."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from time import monotonic

import psutil
import pytest

from tests.projection.conftest import Folding
from tests.projection.world import counted, create
from treering.reading import ReadModels
from treering.store import Store
from treering.testing.fixtures import Database

type Child = subprocess.Popen[bytes]
type Start = Callable[..., Child]


@pytest.fixture
def start(database: Database) -> Generator[Start]:
    """Return what starts a projector as a process; none is left in the end."""
    children: list[Child] = []

    def begin(*how: str, crash: str = "") -> Child:
        command = [sys.executable, "-m", "tests.projection.child", database.writer]
        child = subprocess.Popen(
            [*command, database.namespace, *how],
            env={**os.environ, "TREERING_TEST_CRASH": crash},
        )
        children.append(child)
        return child

    yield begin
    for child in children:
        child.kill()
        child.wait()


async def ended(child: Child) -> None:
    """Return when *child* has been killed."""
    async with asyncio.timeout(30):
        while child.poll() is None:
            await asyncio.sleep(0.01)
    assert child.returncode == -signal.SIGKILL


async def frozen(child: Child) -> None:
    """Return when *child* has frozen."""
    async with asyncio.timeout(30):
        while psutil.Process(child.pid).status() != psutil.STATUS_STOPPED:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("point", ["projector-before-commit", "projector-after-commit"])
@pytest.mark.parametrize("time", [1, 2])
async def test_a_projector_killed_around_its_commit_counts_nothing_twice(
    point: str, time: int, store: Store, models: ReadModels, folding: Folding, start: Start
) -> None:
    await create(store, ["tea", "oil"])
    child = start(crash=f"{point}:{time}")
    if time > 1:
        assert await models.wait("counts", 2, 20)
        await create(store, ["tea"])
    await ended(child)
    async with folding():
        last = await create(store, ["oil"])
        assert await models.wait("counts", last, 20)
    assert await counted(models) == {"oil": 2, "tea": time}


async def test_a_standby_takes_over_from_a_frozen_projector_which_then_does_no_harm(
    store: Store, models: ReadModels, folding: Folding, start: Start
) -> None:
    await create(store, ["tea"])
    child = start("freezing")
    await frozen(child)
    async with folding():
        began = monotonic()
        assert await models.wait("counts", 1, 20)
        assert monotonic() - began < 10
        child.send_signal(signal.SIGCONT)
        for _ in range(20):
            last = await create(store, ["tea"])
            assert await models.wait("counts", last, 20)
    assert await counted(models) == {"tea": 21}


async def test_of_two_projectors_each_read_model_has_one(
    store: Store, models: ReadModels, folding: Folding
) -> None:
    async with folding(), folding():
        for _ in range(20):
            last = await create(store, ["tea", "oil"])
            assert await models.wait("counts", last, 20)
    assert await counted(models) == {"oil": 20, "tea": 20}
