"""A log that was cut short while the servers were down makes nobody skip what comes after."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.embedded.clients import Topic, until
from treering.embedded import ServerOptions, Servers
from treering.embedded.logs import Partition, ends

ONLY_KAFKA = ServerOptions(database="postgresql://db.example/x")
BEFORE = [f"before {number}" for number in range(30)]
AFTER = [f"after {number}" for number in range(30)]


def cut(log: Path, kept: float) -> None:
    """Keep a part of a log, as a power cut may."""
    segment = next(log.glob("*.log"))
    os.truncate(segment, int(segment.stat().st_size * kept))


def kill(servers: Servers) -> None:
    os.kill(servers.pids["kafka"], signal.SIGKILL)
    until(servers.dead)


@pytest.mark.parametrize("leave", [True, False], ids=["group-empty", "group-with-a-ghost"])
@pytest.mark.parametrize("end", ["killed", "stopped"])
def test_nothing_is_skipped_after_a_log_was_cut(tmp_path: Path, end: str, *, leave: bool) -> None:
    with Servers(tmp_path, ONLY_KAFKA) as servers:
        topic = Topic(servers.addresses.kafka, "commands")
        topic.make()
        topic.produce(*BEFORE)
        assert topic.consume(30, leave=leave) == BEFORE
        if end == "killed":
            kill(servers)
    cut(tmp_path / "kafka" / "data" / "commands-0", kept=0.35)
    with Servers(tmp_path, ONLY_KAFKA):
        assert topic.committed() == 10
        topic.produce(*AFTER)
        assert topic.consume(30) == AFTER


def test_nothing_is_skipped_after_a_log_was_lost(tmp_path: Path) -> None:
    with Servers(tmp_path, ONLY_KAFKA) as servers:
        topic = Topic(servers.addresses.kafka, "commands")
        topic.make()
        topic.produce(*BEFORE)
        topic.consume(30)
        kill(servers)
    shutil.rmtree(tmp_path / "kafka" / "data" / "commands-0")
    with Servers(tmp_path, ONLY_KAFKA):
        topic.produce(*AFTER)
        assert topic.consume(30) == AFTER


def test_a_kill_alone_moves_no_offset(tmp_path: Path) -> None:
    with Servers(tmp_path, ONLY_KAFKA) as servers:
        topic = Topic(servers.addresses.kafka, "commands")
        topic.make()
        topic.produce(*BEFORE)
        topic.consume(20)
        kill(servers)
        servers.revive()
        assert topic.committed() == 20
        assert topic.consume(10) == BEFORE[20:]


def test_the_ends_read_from_the_disk_are_those_of_the_broker(tmp_path: Path) -> None:
    data = tmp_path / "kafka" / "data"
    with Servers(tmp_path, ONLY_KAFKA) as servers:
        topic = Topic(servers.addresses.kafka, "commands")
        topic.make()
        topic.produce(*BEFORE)
        kill(servers)
        assert ends(data)[Partition("commands", 0)] == 30
        servers.revive()
    assert ends(data)[Partition("commands", 0)] == 30
