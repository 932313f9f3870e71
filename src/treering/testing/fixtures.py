"""Fixtures: PostgreSQL and Kafka once a session, and for each test a namespace of its own in them.

`TREERING_TEST_DATABASE` and `TREERING_TEST_KAFKA` name servers to use instead of starting any;
`TREERING_TEST_POSTGRES_BIN` is the folder of another PostgreSQL's programs.
"""

import os
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from treering import ulid
from treering.embedded import Addresses, ServerOptions, Servers
from treering.store import Reader, Store, migrations
from treering.store.connecting import quoted, schema_of, url_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The store of one test: a migrated namespace, and who may do what in it."""

    namespace: str
    owner: str
    writer: str
    reader: str


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Generator[Addresses]:
    """Start PostgreSQL and Kafka for the session."""
    programs = os.environ.get("TREERING_TEST_POSTGRES_BIN")
    options = ServerOptions(
        database=os.environ.get("TREERING_TEST_DATABASE"),
        kafka=os.environ.get("TREERING_TEST_KAFKA"),
        postgres_bin=Path(programs) if programs else None,
    )
    with Servers(tmp_path_factory.mktemp("servers"), options) as started:
        yield started.addresses


@pytest.fixture
def namespace() -> str:
    """Return a namespace that no other test has."""
    return f"t-{ulid.new()[-12:].lower()}"


@pytest.fixture
async def database(servers: Addresses, namespace: str) -> AsyncGenerator[Database]:
    """Make a store in the test's namespace; it is gone afterwards."""
    owner, writer, reader = servers.database, "treering_writer", "treering_reader"
    await migrations.upgrade(owner, namespace, writer=writer, reader=reader)
    yield Database(
        namespace=namespace,
        owner=owner,
        writer=url_for(owner, writer),
        reader=url_for(owner, reader),
    )
    connection = await asyncpg.connect(owner)
    schema = schema_of(namespace)
    for each in (schema, f"{schema}_read"):
        await connection.execute(f"drop schema if exists {quoted(each)} cascade")
    await connection.close()


@pytest.fixture
async def store(database: Database) -> AsyncGenerator[Store]:
    """Open the test's store, ready to append."""
    async with await Store.open(database.writer, namespace=database.namespace) as opened:
        yield opened


@pytest.fixture
async def reader(database: Database) -> AsyncGenerator[Reader]:
    """Open the test's store as the gateway sees it."""
    async with await Reader.open(database.reader, namespace=database.namespace) as opened:
        yield opened
