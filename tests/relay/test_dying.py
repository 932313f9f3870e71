"""Whatever happens to relays, who reads committed sees each event once, in order."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator

import asyncpg
import psutil
import pytest

from tests.relay.conftest import Relays
from tests.relay.forest import Forest
from tests.relay.subscriber import assert_exactly_once, doubled, until
from treering.bus.topics import Topics
from treering.embedded import Addresses
from treering.testing.fixtures import Database

type Child = subprocess.Popen[str]
type Start = Callable[..., Child]


@pytest.fixture
def start(servers: Addresses, database: Database, topics: Topics) -> Generator[Start]:
    """Return what starts a relay as a process; none is left in the end."""
    children: list[Child] = []

    def begin(which: str = "plain", *, crash: str = "") -> Child:
        command = [sys.executable, "-m", "tests.relay.child", servers.kafka]
        child = subprocess.Popen(
            [*command, database.writer, topics.namespace, which],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TREERING_TEST_CRASH": crash},
        )
        children.append(child)
        return child

    yield begin
    for child in children:
        child.kill()
        child.communicate()


async def frozen(child: Child) -> None:
    """Return when *child* has frozen."""
    async with asyncio.timeout(30):
        while psutil.Process(child.pid).status() != psutil.STATUS_STOPPED:
            await asyncio.sleep(0.01)


async def died(child: Child) -> None:
    """Return when *child* has been killed."""
    async with asyncio.timeout(60):
        while child.poll() is None:
            await asyncio.sleep(0.01)
    assert child.returncode == -signal.SIGKILL


@pytest.mark.parametrize("point", ["before-send", "before-commit", "after-commit"])
async def test_a_relay_that_is_killed_loses_and_doubles_nothing(
    point: str, servers: Addresses, topics: Topics, forest: Forest, start: Start
) -> None:
    for nth in (1, 3, 2):
        await forest.grow(60)
        await died(start(crash=f"relay-{point}:{nth}"))
    start()
    await forest.grow(5)
    assert_exactly_once(await until(servers.kafka, topics, 185), 185)


async def test_a_frozen_relay_that_wakes_up_beside_its_successor_doubles_nothing(
    servers: Addresses, topics: Topics, forest: Forest, start: Start
) -> None:
    first = start()
    await forest.grow(20)
    await until(servers.kafka, topics, 20)
    for n in (1, 2):
        writing = asyncio.create_task(forest.grow(300))
        first.send_signal(signal.SIGSTOP)
        second = start()
        await writing
        await until(servers.kafka, topics, 20 + 300 * n)
        first.send_signal(signal.SIGCONT)
        first = second
    await forest.grow(40)
    assert_exactly_once(await until(servers.kafka, topics, 660), 660)


async def woken_between_lock_and_fence(
    successor: str, servers: Addresses, topics: Topics, forest: Forest, start: Start
) -> list[int]:
    """Let a relay freeze before its commit and wake up while its successor takes over.

    Returns the positions that arrived more than once.
    """
    first = start("freezing")
    await forest.grow(10)
    await frozen(first)
    second = start(successor)
    assert second.stdout
    assert second.stdin
    assert await asyncio.to_thread(second.stdout.readline) == "locked\n"
    first.send_signal(signal.SIGCONT)
    await until(servers.kafka, topics, 1)
    second.stdin.write("go on\n")
    second.stdin.flush()
    await forest.grow(10)
    return doubled(await until(servers.kafka, topics, 20))


async def test_a_relay_that_commits_while_its_successor_takes_over_doubles_nothing(
    servers: Addresses, topics: Topics, forest: Forest, start: Start
) -> None:
    assert await woken_between_lock_and_fence("late", servers, topics, forest, start) == []


async def test_a_successor_that_reads_the_checkpoint_before_the_fence_is_caught(
    servers: Addresses, topics: Topics, forest: Forest, start: Start
) -> None:
    assert await woken_between_lock_and_fence("early", servers, topics, forest, start) != []


async def test_a_relay_whose_sessions_are_ended_begins_again(
    servers: Addresses, topics: Topics, forest: Forest, database: Database, relays: Relays
) -> None:
    connection = await asyncpg.connect(database.owner)
    async with relays():
        for n in range(1, 4):
            await forest.grow(20)
            await until(servers.kafka, topics, 20 * n)
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name like '%' || $1 || '%' and query like '%listen%'"
                " or pid in (select pid from pg_locks where locktype = 'advisory')",
                topics.namespace,
            )
        await forest.grow(20)
        assert_exactly_once(await until(servers.kafka, topics, 80), 80)
    await connection.close()
