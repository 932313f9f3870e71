"""Whatever dies, the servers follow or come back, and nothing of another's is touched."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.embedded.clients import Topic, ask, until
from treering.embedded import ServerOptions, Servers, running

PARENT = """
import json, sys
from pathlib import Path
from treering.embedded import Servers
servers = Servers(Path(sys.argv[1]))
servers.start()
print(json.dumps(dict(servers.pids)), flush=True)
sys.stdin.read()
"""

CLIENT = """
import asyncio, asyncpg, sys
async def go():
    connection = await asyncpg.connect(sys.argv[1])
    print("connected", flush=True)
    await connection.execute("select pg_sleep(600)")
asyncio.run(go())
"""


@contextmanager
def parent(folder: Path) -> Generator[tuple[subprocess.Popen[bytes], Mapping[str, int]]]:
    """Another process that runs the servers of *folder*, and their pids."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        pids = json.loads(process.stdout.readline())
        yield process, pids
        process.kill()


def watchdog_of(pid: int) -> int:
    return psutil.Process(pid).ppid()


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_the_servers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    with parent(tmp_path) as (process, pids):
        watchdogs = [watchdog_of(pid) for pid in pids.values()]
        process.kill()
        until(lambda: all(gone(pid) for pid in (*pids.values(), *watchdogs)))
    assert running(tmp_path) is None


def test_a_start_while_the_killed_ones_servers_are_still_ending_succeeds(tmp_path: Path) -> None:
    with parent(tmp_path) as (process, pids):
        process.kill()
        process.wait()
        with Servers(tmp_path) as servers:
            assert ask(servers.addresses.database, "select 1") == 1
            assert not set(servers.pids.values()) & set(pids.values())


def test_the_next_start_ends_servers_whose_watchdogs_were_killed_too(tmp_path: Path) -> None:
    with parent(tmp_path) as (process, pids):
        for pid in pids.values():
            os.kill(watchdog_of(pid), signal.SIGKILL)
        process.kill()
        process.wait()
        assert not any(gone(pid) for pid in pids.values())
        with Servers(tmp_path) as servers:
            assert all(gone(pid) for pid in pids.values())
            assert ask(servers.addresses.database, "select 1") == 1


def test_after_a_kill_of_everything_nothing_is_lost_and_the_start_is_quick(tmp_path: Path) -> None:
    with parent(tmp_path) as (process, pids):
        found = running(tmp_path)
        assert found
        assert found.addresses
        topic = Topic(found.addresses.kafka, "survives")
        topic.make()
        topic.produce("one", "two")
        ask(found.addresses.database, "create table survives()")
        for pid in (*map(watchdog_of, pids.values()), process.pid, *pids.values()):
            os.kill(pid, signal.SIGKILL)
        process.wait()
    start = time.monotonic()
    with Servers(tmp_path) as servers:
        assert time.monotonic() - start < 10
        assert servers.addresses == found.addresses
        assert topic.consume(2) == ["one", "two"]
        assert ask(servers.addresses.database, "select count(*) from survives") == 0


def test_a_process_that_only_has_the_pid_of_a_server_is_left_alone(tmp_path: Path) -> None:
    options = ServerOptions(kafka="kafka.example:9092")
    with Servers(tmp_path, options):
        note = json.loads((tmp_path / "servers.json").read_text())
    with subprocess.Popen(["sleep", "600"]) as stranger:
        note["processes"]["postgres"]["pid"] = stranger.pid
        (tmp_path / "servers.json").write_text(json.dumps(note))
        with Servers(tmp_path, options):
            assert stranger.poll() is None
        stranger.kill()


def test_a_pid_file_whose_pid_is_another_programs_by_now_is_no_obstacle(tmp_path: Path) -> None:
    options = ServerOptions(kafka="kafka.example:9092")
    with Servers(tmp_path, options) as servers:
        os.kill(servers.pids["postgres"], signal.SIGKILL)
        until(servers.dead)
        mark = tmp_path / "postgres" / "postmaster.pid"
        lines = mark.read_text().splitlines()
    with subprocess.Popen(["sleep", "600"]) as stranger:
        mark.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        with Servers(tmp_path, options) as servers:
            assert ask(servers.addresses.database, "select 1") == 1
        stranger.kill()


@pytest.fixture(scope="module")
def revivable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with Servers(tmp_path_factory.mktemp("revivable")) as servers:
        yield servers


@pytest.mark.parametrize(("key", "name"), [("postgres", "PostgreSQL"), ("kafka", "Kafka")])
@pytest.mark.parametrize("victim", ["server", "watchdog"])
def test_a_server_that_has_died_is_named_and_comes_back_where_it_was(
    revivable: Servers, key: str, name: str, victim: str
) -> None:
    addresses, pid = revivable.addresses, revivable.pids[key]
    os.kill(pid if victim == "server" else watchdog_of(pid), signal.SIGKILL)
    until(revivable.dead)
    assert revivable.dead() == name
    revivable.revive()
    assert revivable.dead() is None
    assert revivable.addresses == addresses
    assert gone(pid)
    assert ask(addresses.database, "select 1") == 1
    topic = Topic(addresses.kafka, f"{key}-{victim}")
    topic.make()
    topic.produce("one")
    assert topic.consume(1) == ["one"]


def test_a_frozen_server_can_be_stopped(tmp_path: Path) -> None:
    servers = Servers(tmp_path, ServerOptions(kafka="kafka.example:9092"))
    servers.start()
    pid = servers.pids["postgres"]
    os.kill(pid, signal.SIGSTOP)
    servers.stop()
    assert gone(pid)


def test_a_wide_open_transaction_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    servers = Servers(tmp_path, ServerOptions(kafka="kafka.example:9092"))
    database = servers.start().database
    command = [
        sys.executable,
        "-c",
        CLIENT,
        database,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as client:
        assert client.stdout
        client.stdout.readline()
        start = time.monotonic()
        servers.stop()
        assert time.monotonic() - start < 10
        with suppress(ProcessLookupError):
            client.kill()
