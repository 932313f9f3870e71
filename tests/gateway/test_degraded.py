"""What is missing is said: the answer is late, behind, or a problem, never wrong."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncGenerator, Generator, Iterable
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from sqlalchemy import Column, MetaData, Table, Text
from structlog.testing import capture_logs

from tests.gateway.running import Circumstances, Running, problem, running, until, word
from treering import ulid
from treering.domain.config import StoredConfig
from treering.embedded import Addresses, ServerOptions, Servers
from treering.message import Recorded
from treering.projection import Change, Projection, projection, put
from treering.projection.change import Put
from treering.projection.entity import EntityFold, table_of
from treering.registry import Registry
from treering.store.backfill import upgrade_rules

CONFIGS = "/api/v1/configs"
DATASETS = "/api/v1/datasets"


async def test_without_a_handler_a_write_says_where_to_ask(
    servers: Addresses, namespace: str
) -> None:
    alone = Circumstances(handles=False, wait_seconds=0.2)
    async with running(servers, namespace, alone) as service:
        response = await service.http.post(CONFIGS, json={"name": "a"})
        assert (response.status_code, word(response)) == (504, "no-outcome")
        found = await service.http.get(problem(response)["status_url"])
        assert found.json() == {"command": problem(response)["command"], "outcome": "pending"}


async def test_nobody_waits_longer_than_they_like(servers: Addresses, namespace: str) -> None:
    alone = Circumstances(handles=False, wait_seconds=3)
    async with running(servers, namespace, alone) as service:

        async def asked(prefer: str) -> tuple[httpx2.Response, float]:
            began = time.monotonic()
            said = {"name": "a"}
            response = await service.http.post(DATASETS, json=said, headers={"Prefer": prefer})
            return response, time.monotonic() - began

        late, seconds = await asked("wait=1")
        assert (late.status_code, word(late)) == (504, "no-outcome")
        assert "within 1 s" in problem(late)["detail"]
        assert 1 <= seconds < 3
        told, seconds = await asked("respond-async, wait=1")
        assert (told.status_code, told.json()["outcome"]) == (202, "pending")
        assert 1 <= seconds < 3
        bounded, seconds = await asked("wait=60")
        assert "within 3 s" in problem(bounded)["detail"]


class TestWithoutProjector:
    """Read models stand still: nobody folds."""

    @pytest.fixture
    async def service(self, servers: Addresses, namespace: str) -> AsyncGenerator[Running]:
        still = Circumstances(projects=False, visible_seconds=0.1)
        async with running(servers, namespace, still) as started:
            yield started

    async def test_a_write_is_answered_and_marked(self, service: Running) -> None:
        response = await service.http.post(CONFIGS, json={"name": "a"})
        assert (response.status_code, response.json()["name"]) == (201, "a")
        assert response.headers["treering-read-model"] == "behind"
        token = response.headers["treering-position"]
        read = await service.http.get(CONFIGS, headers={"Treering-Position": token})
        assert (read.status_code, read.json()) == (200, [])
        assert read.headers["treering-read-model"] == "behind"

    async def test_a_position_that_is_demanded_is_not_there_yet(self, service: Running) -> None:
        position = (await service.http.post(CONFIGS, json={"name": "a"})).headers[
            "treering-position"
        ]
        response = await service.http.get(CONFIGS, params={"min_position": position})
        assert (response.status_code, word(response)) == (503, "read-model-behind")
        assert response.headers["retry-after"] == "1"


async def test_a_read_model_that_stops_is_named_and_the_others_go_on(
    servers: Addresses, namespace: str
) -> None:
    runs = Table("runs", MetaData(), Column("id", Text, primary_key=True))

    @projection("runs", tables=[runs], kinds={"run"})
    def broken(recorded: Recorded[Any]) -> Iterable[Change]:
        raise ValueError(f"{recorded.stream} is too much")

    with capture_logs() as said:
        async with running(servers, namespace, Circumstances(further=[broken])) as service:
            await _stops_alone(service)
    (noted,) = [line["reason"] for line in said if line["event"] == "a read model has stopped"]
    assert noted.startswith("ValueError: run/1 is too much (test_degraded.py, line ")


async def _stops_alone(service: Running) -> None:
    run = {"type": "run.start.v1", "subject": "run/1", "data": {"model": "lag"}}
    assert (await service.http.post("/api/v1/commands", json=run)).status_code == 200
    async with asyncio.timeout(20):
        while (health := (await service.http.get("/health")).json())["status"] == "healthy":
            pass
    assert health["status"] == "degraded"
    message = health["checks"]["read_models"]["message"]
    assert message == "runs stopped at position 1: `treering projections status` says why."
    assert (await service.http.get("/health")).status_code == 200
    assert 'stopped{projection="runs"} 1.0' in (await service.http.get("/metrics")).text
    written = await service.http.post(CONFIGS, json={"name": "a"})
    assert "treering-read-model" not in written.headers
    assert (await service.http.get("/health/ready")).status_code == 200


async def test_health_says_that_handlers_wait_for_rules_to_be_stored(
    servers: Addresses, namespace: str
) -> None:
    async with running(servers, namespace, Circumstances(handles=False)) as service:
        await upgrade_rules(servers.database, namespace, Registry([]))
        response = await service.http.get("/health")
        health = response.json()
        assert (response.status_code, health["status"]) == (200, "degraded")
        assert health["checks"]["rules"]["message"] == (
            "Handlers of this release wait. The rules of "
            f"{namespace!r} are not those that its store keeps: 'dataset unique name' is new; run "
            "`treering db upgrade` with the release that is to decide."
        )


async def test_a_read_model_that_is_held_is_not_read_and_says_why(
    servers: Addresses, namespace: str
) -> None:
    async with running(servers, namespace) as service:
        await service.http.post(CONFIGS, json={"name": "a"})
    changed = Circumstances(further=[_without_names()], is_ready=False)
    async with running(servers, namespace, changed) as service:
        async with asyncio.timeout(20):
            while (health := (await service.http.get("/health")).json())["status"] != "degraded":
                pass
        held = "configs is held, as it shows something else than the version before"
        message = health["checks"]["read_models"]["message"]
        assert message == f"{held}: `treering projections status` says why."
        ready = await service.http.get("/health/ready")
        assert ready.status_code == 503
        waiting = ready.json()["waiting_for"]["read_models"]
        assert waiting == f"{held} (`treering projections accept configs` takes it up)"
        response = await service.http.get(CONFIGS)
        assert (response.status_code, word(response)) == (503, "read-model-away")
        assert "`treering projections accept configs` takes it up" in problem(response)["detail"]
        written = await service.http.post(CONFIGS, json={"name": "b"})
        assert (written.status_code, written.json()["name"]) == (201, "b")
        assert written.headers["treering-read-model"] == "behind"
        seen = {"min_position": written.headers["treering-position"]}
        response = await service.http.get(CONFIGS, params=seen)
        assert (response.status_code, word(response)) == (503, "read-model-away")
        assert 'stopped{projection="configs"} 1.0' in (await service.http.get("/metrics")).text


def _without_names() -> Projection:
    """Return the read model of configs with a fault."""
    table = table_of(StoredConfig, "configs")
    fold = EntityFold(table)

    def nameless(recorded: Recorded[Any]) -> Iterable[Change]:
        for change in fold(recorded):
            is_whole = isinstance(change, Put)
            yield put(table, {**change.row, "name": ""}) if is_whole else change

    return Projection(name="configs", tables=[table], fold=nameless, kinds={"config"})


@pytest.fixture
async def admin(servers: Addresses) -> AsyncGenerator[asyncpg.Connection]:
    connection = await asyncpg.connect(servers.database)
    yield connection
    await connection.close()


async def test_without_its_database_nothing_is_answered_but_problems(
    servers: Addresses, namespace: str, admin: asyncpg.Connection
) -> None:
    role = f"reader_{ulid.new().lower()}"
    async with running(servers, namespace, Circumstances(reader_role=role)) as service:
        assert (await service.http.get(CONFIGS)).status_code == 200
        await admin.execute(f"alter role {role} nologin")
        await admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = $1", role
        )
        await until(service, "/health", 503)
        checks = (await service.http.get("/health")).json()
        assert checks["status"] == "unhealthy"
        assert checks["checks"]["database"]["state"] == "unhealthy"
        assert checks["checks"]["kafka"]["state"] == "healthy"
        response = await service.http.get(CONFIGS)
        assert (response.status_code, word(response)) == (503, "database")
        assert role not in response.text
        written = await service.http.post(CONFIGS, json={"name": "a"})
        assert (written.status_code, written.json()["name"]) == (201, "a")
        assert written.headers["treering-read-model"] == "behind"
        assert (await service.http.get("/metrics")).status_code == 200
        assert (await service.http.get("/health/live")).status_code == 200
        await admin.execute(f"alter role {role} login")
        await until(service, "/health", 200)
        assert (await service.http.get(CONFIGS)).json() == [written.json()]


async def test_a_database_that_hangs_is_not_waited_for(
    servers: Addresses, namespace: str, admin: asyncpg.Connection
) -> None:
    async with running(servers, namespace) as service, admin.transaction():
        schema = namespace.replace("-", "_")
        await admin.execute(f"lock table {schema}.head in access exclusive mode")
        health, figures = await asyncio.gather(
            service.http.get("/health"), service.http.get("/metrics")
        )
        assert (health.status_code, health.json()["status"]) == (503, "unhealthy")
        assert "No answer within" in health.json()["checks"]["database"]["message"]
        assert "http_server_request_duration_seconds" in figures.text


class TestWithoutKafka:
    """Kafka dies under it."""

    @pytest.fixture
    def own(self, servers: Addresses, tmp_path: Path) -> Generator[Servers]:
        with Servers(tmp_path / "own", ServerOptions(database=servers.database)) as started:
            yield started

    async def test_reads_go_on_and_writes_say_where_to_ask(
        self, own: Servers, namespace: str
    ) -> None:
        addresses = own.addresses
        dead = Circumstances(handles=False, wait_seconds=0.5)
        async with running(addresses, namespace, dead) as service:
            await until(service, "/health/ready", 200)
            os.kill(own.pids["kafka"], signal.SIGKILL)
            response = await service.http.post(CONFIGS, json={"name": "a"})
            assert (response.status_code, word(response)) == (503, "kafka")
            assert problem(response)["status_url"].startswith("/api/v1/commands/")
            assert (await service.http.get(CONFIGS)).json() == []
            health = await service.http.get("/health")
            assert (health.status_code, health.json()["status"]) == (200, "degraded")
            assert health.json()["checks"]["kafka"]["state"] == "degraded"
            assert (await service.http.get("/health/ready")).status_code == 200
