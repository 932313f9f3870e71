"""The small parts of `treering dev`: places, trials, changes."""

import asyncio
import json
import socket
from enum import Enum
from pathlib import Path

import pytest
from pydantic import Field

from treering import Entity, Settings
from treering.dev import announcement, places
from treering.dev.announcement import Announcement
from treering.dev.changes import changes
from treering.dev.refusal import Refusal
from treering.dev.trial import example, lines, trial
from treering.embedded import Addresses
from treering.errors import ServerError

EMBEDDED = Addresses(kafka="127.0.0.1:9", database="postgresql://postgres@/postgres?host=/s&port=1")


def test_a_secret_is_made_once_and_for_this_user_alone(tmp_path: Path) -> None:
    first = places.secret(tmp_path)
    assert len(first) == 64
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert places.secret(tmp_path) == first


def test_on_our_own_database_everyone_is_a_user_of_their_own() -> None:
    settled = places.settled(Settings(), EMBEDDED, "lag-model")
    assert settled.database == "postgresql://lag_model_writer@/postgres?host=/s&port=1"
    assert settled.database_reader == "postgresql://lag_model_reader@/postgres?host=/s&port=1"
    assert settled.database_owner == EMBEDDED.database
    assert settled.kafka == "127.0.0.1:9"


def test_a_database_that_was_named_is_used_as_it_is() -> None:
    named = Settings(database="postgresql://me@db/mine", kafka="k:1")
    settled = places.settled(
        named, Addresses(kafka="k:1", database="postgresql://me@db/mine"), "lag"
    )
    assert {settled.database, settled.database_reader, settled.database_owner} == {named.database}


def test_one_broker_keeps_one_copy_unless_it_was_said_otherwise() -> None:
    settled = places.on_one_broker(Settings(partitions=12))
    assert (settled.partitions, settled.replication, settled.session_seconds) == (12, 1, 1.5)


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=f"Port {port} .* PORT={port + 1}"):
            places.listener(Settings(port=port))


def test_where_a_person_reaches_a_wide_address() -> None:
    with places.listener(Settings(host="0.0.0.0", port=0)) as taken:  # noqa: S104
        assert places.http_of(taken) == f"http://127.0.0.1:{taken.getsockname()[1]}"
    assert not places.is_loopback(Settings(host="0.0.0.0"))  # noqa: S104
    assert places.is_loopback(Settings())


def test_what_nobody_runs_is_not_announced(tmp_path: Path) -> None:
    told = Announcement(
        pid=1, http="h", kafka="k", database="d", database_owner="o", database_reader="r",
        namespace="n",
    )  # fmt: skip
    announcement.write(tmp_path, told)
    assert (tmp_path / "dev.json").stat().st_mode & 0o777 == 0o600
    assert announcement.read(tmp_path) is None


def test_all_addresses_are_of_one_place() -> None:
    told = Announcement(
        pid=1, http="h", kafka="k", database="d", database_owner="o", database_reader="r",
        namespace="n",
    )  # fmt: skip
    found = told.settings(Settings(kafka="k", port=9))
    assert (found.database, found.database_owner, found.database_reader) == ("d", "o", "r")
    assert found.port == 9
    another = Settings(database="mine", kafka="k")
    assert told.contradicted(another) == ["TREERING_DATABASE"]
    assert told.settings(another) == another


class Weather(Enum):
    WET = "wet"


class Reading(Entity):
    station: str
    depth: int = Field(ge=10)
    share: float = Field(gt=2)
    wet: bool
    weather: Weather
    parts: list[str]
    about: dict[str, int] | None
    note: str = ""


class Picky(Entity):
    code: str = Field(pattern="^[0-9]{9}$")


def test_an_example_is_accepted() -> None:
    body = example(Reading)
    assert Reading.model_validate(body).depth >= 10
    assert "note" not in body


def test_the_last_entity_that_can_be_made_is_tried() -> None:
    assert trial([Reading, Picky])["plural"] == "readings"
    assert trial([Picky]) == {}


def test_the_lines_to_try_can_be_pasted() -> None:
    post, get, health = lines("http://h", {"plural": "configs", "body": {"name": "it's"}})
    assert post.endswith("""-d '{"name": "it'"'"'s"}'""")
    assert (get, health) == ("curl http://h/api/v1/configs", "curl http://h/health")
    assert lines("http://h", {}) == ["curl http://h/health"]


async def test_what_can_not_be_started_answers_a_large_request_and_gives_its_port_back() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        refusal = Refusal(listener)
        for reason in ("line 1 is wrong", "line 2 is wrong"):
            await refusal.begin(reason)
            head, _, body = (await _posted(listener, b"x" * 3_000_000)).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503 ")
            assert reason in json.loads(body)["detail"]
        refusal.end()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
        loop = asyncio.get_running_loop()
        listener.settimeout(0)
        async with asyncio.timeout(10):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            await asyncio.sleep(0)
            taken, _ = await loop.sock_accept(listener)
        taken.close()
        writer.close()
        await writer.wait_closed()


async def _posted(listener: socket.socket, body: bytes) -> bytes:
    """Send a request with *body*; return all that is answered."""
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    writer.write(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    writer.write_eof()
    try:
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_change_is_seen_and_caches_are_not(tmp_path: Path) -> None:
    (tmp_path / "service.py").write_text("")
    seen = changes(tmp_path)
    for name in ("__pycache__", ".treering"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "made.py").write_text("")
    environment = tmp_path / "env"
    environment.mkdir()
    (environment / "pyvenv.cfg").write_text("")
    (environment / "library.py").write_text("")
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "domain").mkdir()
    (tmp_path / "domain/tank.py").write_text("")
    async with asyncio.timeout(20):
        assert await anext(seen) == tmp_path / "domain/tank.py"
