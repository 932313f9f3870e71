"""A fleet's members come back whatever ends them, and do not outlive who owns them."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import pytest

from treering.embedded import Addresses
from treering.testing.fixtures import Database
from treering.testing.fleet import Fleet, Member

SERVICE = Path(__file__).parents[2] / "examples" / "rainfall"
OWNER = """
import asyncio, json, sys
from pathlib import Path
from treering.testing.fleet import Fleet

async def main():
    async with Fleet(Path(sys.argv[1]), {"relay": 1}, {}) as fleet:
        print(fleet.members[0].process.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture
def settings(servers: Addresses, database: Database) -> Mapping[str, str]:
    """Return what the members are told."""
    return {
        "TREERING_APP": str(SERVICE),
        "TREERING_NAMESPACE": database.namespace,
        "TREERING_DATABASE": database.writer,
        "TREERING_KAFKA": servers.kafka,
        "TREERING_REPLICATION": "1",
    }


async def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Return when it *holds*."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.01)


def pid_of(member: Member) -> int:
    """Return the pid of its present process."""
    return member.process.pid if member.process else 0


async def test_who_is_killed_comes_back(tmp_path: Path, settings: Mapping[str, str]) -> None:
    async with Fleet(tmp_path, {"projector": 2}, settings) as fleet:
        first, second = fleet.of("projector")
        before, other = pid_of(first), pid_of(second)
        first.kill()
        await until(lambda: pid_of(first) != before)
        assert (first.kills, first.ends, pid_of(second)) == (1, [], other)


async def test_who_ends_by_itself_comes_back_and_is_counted(
    tmp_path: Path, settings: Mapping[str, str]
) -> None:
    broken = {**settings, "TREERING_DATABASE": "postgresql://nobody@127.0.0.1:1/nothing"}
    broken |= {"TREERING_RETRY_SECONDS": "0.1"}
    async with Fleet(tmp_path, {"projector": 1}, broken) as fleet:
        (member,) = fleet.members
        before = pid_of(member)
        await until(lambda: pid_of(member) != before)
        assert (member.kills, member.ends) == (0, [1])


async def test_who_is_frozen_stands_still_until_it_is_thawed(
    tmp_path: Path, settings: Mapping[str, str]
) -> None:
    async with Fleet(tmp_path, {"relay": 1}, settings) as fleet:
        (member,) = fleet.members
        process = psutil.Process(pid_of(member))
        member.freeze()
        await until(lambda: process.status() == psutil.STATUS_STOPPED)
        member.thaw()
        await until(lambda: process.status() != psutil.STATUS_STOPPED)
        assert (member.freezes, pid_of(member)) == (1, process.pid)


def test_members_do_not_outlive_their_owner(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout
    member = psutil.Process(int(owner.stdout.readline()))
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    gone, _ = psutil.wait_procs([member], timeout=10)
    assert gone == [member]
