"""Folds that take their time hold nobody up, and what they have done is written."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from tests.projection.world import COUNTS, append, create, fields, parcel
from treering.entity import Created, Updated
from treering.message import Recorded
from treering.projection import Change
from treering.projection.build import begin, builds
from treering.projection.follower import Follower
from treering.projection.ground import Ground
from treering.projection.pack import Pack
from treering.store import Store

EVENTS = 1200


def slowly(recorded: Recorded[Any]) -> Iterable[Change]:
    """Take 2 ms."""
    until = time.perf_counter() + 0.002
    while time.perf_counter() < until:
        """Work."""
    return COUNTS.fold(recorded)


async def test_others_have_their_turn_and_it_is_written_about_once_a_second(
    store: Store, ground: Ground, connection: asyncpg.Connection
) -> None:
    await create(store, ["tea"])
    made = await begin(connection, COUNTS, ground.schema)
    pack = Pack(ground, connection, [Follower(replace(COUNTS, fold=slowly), made, ground.schema)])
    assert await pack.step()
    pieces = [Updated(fields={"pieces": n}) for n in range(EVENTS)]
    last = await append(store, parcel(), Created(fields=fields("oil")), *pieces)
    longest = 0.0

    async def others() -> None:
        nonlocal longest
        while True:
            began = time.monotonic()
            await asyncio.sleep(0)
            longest = max(longest, time.monotonic() - began)

    beside = asyncio.create_task(others())
    positions: list[int] = []
    while not await pack.step():
        positions.append((await builds(connection, ["counts"]))[0].position)
    beside.cancel()
    assert positions
    assert all(1 < position < last for position in positions)
    assert (await builds(connection, ["counts"]))[0].position == last
    assert longest < 0.25


async def test_an_empty_build_is_written_after_some_seconds_of_folding(
    store: Store,
    ground: Ground,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("treering.projection.pack._COPY", 0.1)
    monkeypatch.setattr("treering.projection.pack._STEP", 0.1)
    pieces = [Updated(fields={"pieces": n}) for n in range(200)]
    await append(store, parcel(), Created(fields=fields("oil")), *pieces)
    made = await begin(connection, COUNTS, ground.schema)
    pack = Pack(ground, connection, [Follower(replace(COUNTS, fold=slowly), made, ground.schema)])
    assert not await pack.step()
    assert 0 < (await builds(connection, ["counts"]))[0].position < 201
