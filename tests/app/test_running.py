"""Roles as they run in production: on servers that are there, until they are told to stop."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from treering.app import load
from treering.app.running import Role, run
from treering.embedded import Addresses
from treering.errors import DeclarationError
from treering.settings import Settings
from treering.sql import statement
from treering.store.connecting import connect, quoted, schema_of
from treering.testing.fixtures import Database

pytestmark = pytest.mark.timeout(240)
PATIENCE = 60.0
CONFIGS = "/api/v1/configs"


class Process:
    """`treering run ROLE…`."""

    def __init__(self, process: asyncio.subprocess.Process, http: str, log: Path) -> None:
        self._process = process
        self.http = httpx.AsyncClient(base_url=http, timeout=PATIENCE)
        self._log = log

    def signal(self, number: int = signal.SIGTERM) -> None:
        self._process.send_signal(number)

    async def status(self) -> int:
        async with asyncio.timeout(PATIENCE):
            return await self._process.wait()

    def said(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    async def ready(self) -> None:
        await until(self._is_ready)

    async def _is_ready(self) -> bool:
        assert self._process.returncode is None, self._log.read_text()
        try:
            return (await self.http.get("/health/ready")).status_code == 200
        except httpx.TransportError:
            return False

    async def logged(self, event: str) -> bool:
        return any(line["event"] == event for line in self.said())


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await condition():
            await asyncio.sleep(0.02)


@pytest.fixture
def environment(servers: Addresses, database: Database, tmp_path: Path) -> Mapping[str, str]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    return {
        "TREERING_KAFKA": servers.kafka,
        "TREERING_DATABASE": database.writer,
        "TREERING_DATABASE_READER": database.reader,
        "TREERING_NAMESPACE": database.namespace,
        "TREERING_HOME": str(tmp_path),
        "TREERING_SECRET": "for this test",
        "TREERING_PORT": str(port),
        "TREERING_PARTITIONS": "2",
        "TREERING_REPLICATION": "1",
        "TREERING_SESSION_SECONDS": "1.5",
        "TREERING_LOG_FORMAT": "json",
    }


@asynccontextmanager
async def running(
    environment: Mapping[str, str], *roles: str, **settings: str
) -> AsyncGenerator[Process]:
    log = Path(environment["TREERING_HOME"], f"{'-'.join(roles)}.log")
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "treering", "run", *roles),
        cwd=environment["TREERING_HOME"],
        env=os.environ | environment | settings,
        stderr=written,
    )
    os.close(written)
    made = Process(process, f"http://127.0.0.1:{environment['TREERING_PORT']}", log)
    try:
        yield made
    finally:
        await made.http.aclose()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_told_to_stop_it_answers_whom_it_has_heard(environment: Mapping[str, str]) -> None:
    async with running(environment) as process:
        await process.ready()
        heard = [
            asyncio.create_task(process.http.post(CONFIGS, json={"name": str(number)}))
            for number in range(50)
        ]
        await asyncio.wait(heard, return_when=asyncio.FIRST_COMPLETED)
        process.signal()
        answers = await asyncio.gather(*heard, return_exceptions=True)
        assert await process.status() == 0
        broken = [
            each
            for each in answers
            if isinstance(each, BaseException) and not isinstance(each, httpx.ConnectError)
        ]
        assert broken == []
        assert {each.status_code for each in answers if isinstance(each, httpx.Response)} == {201}
        (stopping,) = [line for line in process.said() if line["event"] == "stopping"]
        assert stopping["within_seconds"] == 10
        assert stopping["roles"] == ["gateway", "handler", "projector", "relay"]


async def test_a_second_signal_ends_it_at_once(environment: Mapping[str, str]) -> None:
    async with (
        running(environment, "handler", "projector") as behind,
        running(environment, "gateway") as process,
    ):
        await process.ready()
        behind.signal(signal.SIGSTOP)
        waiting = asyncio.create_task(process.http.post(CONFIGS, json={"name": "unanswered"}))
        await until(lambda: _takes_one_more(process))
        process.signal()
        await until(lambda: process.logged("stopping"))
        process.signal()
        assert await process.status() == 1
        assert isinstance((await asyncio.gather(waiting, return_exceptions=True))[0], Exception)


async def _takes_one_more(process: Process) -> bool:
    """Whoever is answered now came after the one who waits."""
    return (await process.http.get("/health/live")).status_code == 200


async def test_what_is_not_finished_in_time_is_left(environment: Mapping[str, str]) -> None:
    async with (
        running(environment, "handler", "projector") as behind,
        running(environment, "gateway", TREERING_DRAIN_SECONDS="1") as process,
    ):
        await process.ready()
        behind.signal(signal.SIGSTOP)
        waiting = asyncio.create_task(process.http.post(CONFIGS, json={"name": "unanswered"}))
        await until(lambda: _takes_one_more(process))
        process.signal()
        began = asyncio.get_running_loop().time()
        await process.status()
        assert asyncio.get_running_loop().time() - began < 5
        await asyncio.gather(waiting, return_exceptions=True)


async def _change_epoch(database: Database) -> None:
    """Do what is done after a restore."""
    schema = quoted(schema_of(database.namespace))
    connection = await connect(database.owner, settings={"search_path": schema})
    await connection.execute(statement("change_epoch"))
    await connection.close()


@pytest.mark.parametrize("role", ["gateway", "handler", "relay", "projector"])
async def test_no_role_runs_beside_a_contract_that_it_breaks(tmp_path: Path, role: Role) -> None:
    schemas = tmp_path / "schemas"
    schemas.mkdir()
    (tmp_path / "service.py").write_text(
        'from treering import Service\nservice = Service(id="x", display_name="X", version="1")\n'
    )
    (schemas / "released.json").write_text('{"events/a.created.v1.json": ""}')
    app = load(Settings(app=tmp_path))
    with pytest.raises(DeclarationError, match=r"a\.created\.v1\.json was released and is gone"):
        await run(app, [role], asyncio.Event())


async def test_a_relay_that_will_not_guess_leaves_the_others_at_work(
    environment: Mapping[str, str], database: Database
) -> None:
    async with running(environment) as process:
        await process.ready()
        assert (await process.http.post(CONFIGS, json={"name": "one"})).status_code == 201
        process.signal()
        assert await process.status() == 0
    await _change_epoch(database)
    async with running(environment, "relay") as alone:
        assert await alone.status() == 1
    async with running(environment) as process:
        await process.ready()
        await until(lambda: process.logged("the relay has stopped"))
        assert (await process.http.post(CONFIGS, json={"name": "two"})).status_code == 201
