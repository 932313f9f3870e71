"""Handlers that are killed, frozen or left without a store: nothing is lost, nothing doubled."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Self

import asyncpg
import pytest

from tests.bus.conftest import Handlers
from tests.bus.raw import outcomes, send
from treering import ulid
from treering.bus import Client, Topics
from treering.bus.turns import FROZEN
from treering.embedded import Addresses
from treering.store import Store
from treering.testing.fixtures import Database

CREATE = ("ce_type", b"config.create.v1")


@asynccontextmanager
async def program(
    servers: Addresses, database: Database, *, crash: str = ""
) -> AsyncGenerator[Process]:
    """Run a handler as a process; it is killed in the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bus.program", servers.kafka, database.writer,
        database.namespace, stdout=PIPE, stderr=PIPE,
        env={**os.environ, "TREERING_TEST_CRASH": crash},
    )  # fmt: skip
    try:
        assert process.stdout
        assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


class Load:
    """Creates that go on until the block ends, each insisted on until it is answered."""

    def __init__(self, client: Client, lanes: int) -> None:
        self.answered = 0
        self._client = client
        self._lanes = lanes
        self._over = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._lane()) for _ in range(self._lanes)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        await asyncio.gather(*self._tasks)

    async def _lane(self) -> None:
        while not self._over.is_set():
            outcome = await self._client.ask("config.create.v1", {"name": "x"}, timeout=60)
            assert outcome.outcome == "accepted"
            self.answered += 1

    async def goes_on(self, further: int = 100) -> None:
        """Wait for *further* answers."""
        enough = self.answered + further
        async with asyncio.timeout(30):
            while self.answered < enough:
                await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "point", ["before-append", "after-append", "after-outcome", "after-commit"]
)
async def test_a_handler_that_is_killed_leaves_its_command_to_the_next(
    servers: Addresses, topics: Topics, database: Database, handlers: Handlers, store: Store,
    point: str,
) -> None:  # fmt: skip
    headers = [CREATE, ("ce_id", ulid.new().encode())]
    await send(servers.kafka, topics.commands, (None, b'{"name":"rain"}', headers))
    async with program(servers, database, crash=point) as process:
        assert await process.wait() == -signal.SIGKILL
    sent = 2 if point == "after-outcome" else 1
    async with handlers():
        told = await outcomes(servers.kafka, topics.outcomes, sent)
    assert told.count(told[0]) == len(told) == sent
    assert told[0].outcome == "accepted"
    assert (await store.head()).position == 1


async def test_a_handler_frozen_beyond_its_session_ends_and_nothing_is_doubled(
    servers: Addresses, topics: Topics, database: Database, client: Client, store: Store
) -> None:
    async with (
        program(servers, database) as frozen,
        program(servers, database),
        Load(client, 16) as load,
    ):
        await load.goes_on()
        frozen.send_signal(signal.SIGSTOP)
        await load.goes_on()
        frozen.send_signal(signal.SIGCONT)
        async with asyncio.timeout(10):
            assert await frozen.wait() == FROZEN
        await load.goes_on()
    assert (await store.head()).position == load.answered
    assert (await store.invariant(full=True)).holds
    assert topics


async def test_a_store_that_goes_away_is_waited_for(
    database: Database, handlers: Handlers, client: Client, store: Store
) -> None:
    owner = await asyncpg.connect(database.owner)
    async with handlers(), Load(client, 16) as load:
        for _ in range(3):
            await load.goes_on()
            await owner.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where usename = 'treering_writer' and pid <> pg_backend_pid()"
            )
        await load.goes_on()
    await owner.close()
    assert (await store.head()).position == load.answered


async def test_handlers_come_and_go_under_load(
    servers: Addresses, database: Database, handlers: Handlers, client: Client, store: Store
) -> None:
    async with handlers(), Load(client, 16) as load:
        for _ in range(2):
            async with program(servers, database) as killed:
                await load.goes_on()
                killed.kill()
            await load.goes_on()
    assert (await store.head()).position == load.answered
