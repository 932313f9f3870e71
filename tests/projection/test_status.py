"""How far a build is, in figures and in words."""

from typing import Any

import asyncpg
import pytest

from tests.projection.world import COUNTS, append, create, fields, parcel, skip
from treering.entity import Created, Updated
from treering.projection.build import Build, begin, builds, prepare
from treering.projection.follower import Follower
from treering.projection.ground import Ground
from treering.projection.notice import Notice
from treering.projection.pack import Pack
from treering.projection.status import status_of, why_away
from treering.reading import ReadModels
from treering.store import Reader, Store


def build(**said: Any) -> Build:
    """Return a build that is on its way, or as it is said."""
    usual: dict[str, Any] = {
        "name": "counts",
        "build": 2,
        "version": "3f2a",
        "position": 500,
        "event": "e",
        "state": "building",
        "stopped_at": None,
        "reason": None,
        "tables": ["counts_3f2a_2"],
    }
    return Build(**{**usual, **said})


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"reached": 600, "seconds": 2.0, "started_from": 100}, "60 %, 250 events/s, 2 s left"),
        ({"reached": 1000, "seconds": 2.0}, "100 %, 500 events/s, 0 s left"),
        ({"reached": 500, "seconds": 2.0, "started_from": 500}, "50 %"),
        ({}, "50 %"),
    ],
)
def test_a_build_on_its_way_says_when_it_will_be_there(said: dict[str, Any], shown: str) -> None:
    assert str(status_of(build(**said), 1000).going) == shown


def test_a_store_without_events_is_wholly_shown() -> None:
    assert str(status_of(build(position=0), 0).going) == "100 %"


def test_what_is_not_on_its_way_says_nothing_of_it() -> None:
    held = status_of(build(differs="1 row"), 1000)
    assert (held.state, held.reason, held.going) == ("held", "1 row", None)
    stopped = status_of(build(state="stopped", stopped_at=501, reason="bad"), 1000)
    assert (stopped.state, stopped.reason, stopped.going) == ("stopped", "bad", None)
    live = status_of(build(state="live", serves=True, differs=""), 1000)
    assert (live.state, live.lag, live.going) == ("live", 500, None)


def test_what_was_not_taken_up_yet_says_why() -> None:
    assert why_away(build()) == "counts is being built anew for this release; try again."


async def test_how_far_a_builder_is_can_be_seen_before_it_has_written_anything(
    store: Store,
    reader: Reader,
    ground: Ground,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("treering.projection.notice._EVERY", 0.0)
    pieces = [Updated(fields={"pieces": n}) for n in range(4999)]
    await append(store, parcel(), Created(fields=fields("tea")), *pieces)
    made = await begin(connection, COUNTS, ground.schema)
    pack = Pack(ground, connection, [Follower(COUNTS, made, ground.schema)])
    told: list[int] = []
    notice = Notice(pack, told.append)
    await notice.begin()
    assert not await pack.step()
    await notice()
    (noted,) = await builds(connection, ["counts"])
    assert (told, noted.position, noted.reached) == ([2000], 0, 2000)
    (status,) = await ReadModels(reader, [COUNTS]).status()
    assert str(status.going).startswith("40 %, ")
    await connection.execute("update projection set noted_at = now() - interval '1 minute'")
    (status,) = await ReadModels(reader, [COUNTS]).status()
    assert str(status.going) == "40 %"


async def test_what_is_skipped_meanwhile_is_passed_over_by_a_builder_on_its_way(
    store: Store, ground: Ground, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treering.projection.notice._EVERY", 0.0)
    pieces = [Updated(fields={"pieces": n}) for n in range(1999)]
    await append(store, parcel(), Created(fields=fields("tea")), *pieces)
    bad = await create(store, ["bad"])
    made = await begin(connection, COUNTS, ground.schema)
    pack = Pack(ground, connection, [Follower(COUNTS, made, ground.schema)])
    notice = Notice(pack)
    assert not await pack.step()
    await skip(store, "counts", bad)
    await notice()
    assert await pack.step()
    assert not pack.stopped
    assert (await builds(connection, ["counts"]))[0].position == bad + 1


async def test_what_an_older_release_has_taken_up_serves_after_it_has_stopped(
    ground: Ground, connection: asyncpg.Connection
) -> None:
    await begin(connection, COUNTS, ground.schema)
    more = "born", "also", "differs", "taken_up_at", "noted_at"
    drops = ", ".join(f"drop column {name}" for name in more)
    await connection.execute("update projection set state = 'stopped'")
    await connection.execute(f"alter table projection {drops}")
    await prepare(connection, ground.schema)
    (found,) = await builds(connection, ["counts"])
    assert (found.state, found.serves) == ("stopped", True)
