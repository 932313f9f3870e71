"""Accepted means durable: a store that may lose what it acknowledged is refused."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.store.asking import appended, asking
from treering.embedded import postgres
from treering.embedded.postgres import Postgres
from treering.errors import StoreNotReady
from treering.store import Store, migrations
from treering.testing.fixtures import Database


@pytest.fixture
def careless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Postgres]:
    """Start a PostgreSQL that does not wait for its disk."""
    monkeypatch.setitem(postgres.SETTINGS, "fsync", "off")
    server = Postgres(tmp_path)
    server.start()
    yield server
    server.stop()
    server.discard()


async def test_a_database_without_fsync_is_refused_unless_told(careless: Postgres) -> None:
    await migrations.upgrade(careless.url, "careless")
    with pytest.raises(StoreNotReady, match="runs with fsync off"):
        async with await Store.open(careless.url, namespace="careless"):
            pass
    opened = await Store.open(careless.url, namespace="careless")
    await opened.begin(unsafe_durability=True)
    await appended(opened, asking("dataset/1"))
    await opened.close()


@pytest.mark.parametrize("how", ["off", "local"])
async def test_a_commit_that_does_not_wait_is_refused(database: Database, how: str) -> None:
    url = f"{database.writer}&synchronous_commit={how}"
    with pytest.raises(StoreNotReady, match="TREERING_UNSAFE_DURABILITY"):
        async with await Store.open(url, namespace=database.namespace):
            pass
