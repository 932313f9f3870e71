"""A database that says nothing any more: who waits is told in time, and the next one serves."""

import asyncio
import socket
import sys
from collections.abc import AsyncGenerator
from typing import cast

import asyncpg
import pytest

from tests.store.asking import asking, owner_of
from tests.store.between import Between, between
from treering.errors import StoreUnavailable
from treering.store import PoolOptions, Reader
from treering.store.committer import Committer
from treering.store.connecting import connect, schema_of
from treering.testing.fixtures import Database

WAITS = """
select count(*) from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'
"""


@pytest.fixture
async def wire(database: Database) -> AsyncGenerator[Between]:
    """Stand between the test and its database."""
    async with between(database.writer) as made:
        yield made


@pytest.fixture
async def committer(
    wire: Between, database: Database, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Committer]:
    """Start a committer that is not patient, over that wire."""
    monkeypatch.setattr("treering.store.committer._ANSWER_SECONDS", 0.5)
    monkeypatch.setattr("treering.store.committer._CLOSE_SECONDS", 0.5)
    made = Committer(wire.url, database.namespace)
    await made.start()
    yield made
    await made.stop()


@pytest.mark.parametrize("served_before", [True, False])
async def test_silence_ends_an_append_and_the_next_one_is_served(
    wire: Between, committer: Committer, *, served_before: bool
) -> None:
    if served_before:
        await committer.append(asking("dataset/1"))
    wire.fall_silent()
    with pytest.raises(StoreUnavailable):
        async with asyncio.timeout(5):
            await committer.append(asking("dataset/2"))
    wire.speak_again()
    await committer.append(asking("dataset/3"))


async def test_silence_does_not_keep_a_committer_from_closing(
    wire: Between, committer: Committer
) -> None:
    wire.fall_silent()
    async with asyncio.timeout(5):
        await committer.stop()


async def test_what_took_too_long_is_done_all_the_same(
    wire: Between, committer: Committer, reader: Reader
) -> None:
    request = asking("dataset/1", command="long")
    await committer.append(asking("dataset/0"))
    wire.fall_silent(hears=True)
    with pytest.raises(StoreUnavailable):
        await committer.append(request)
    assert await reader.verdict("long") is not None


async def test_postgresql_gives_up_waiting_before_its_connection_is(
    committer: Committer, database: Database
) -> None:
    owner = await owner_of(database)
    async with owner.transaction():
        await owner.execute("select from head for update")
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            await committer.append(asking("dataset/1"))
        name = f"treering {schema_of(database.namespace)} committer"
        assert await owner.fetchval(WAITS, name) == 0
    await owner.close()


async def test_who_listens_but_never_answers_is_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("treering.store.connecting._CONNECT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"postgresql://nobody@127.0.0.1:{deaf.getsockname()[1]}/nothing"
        with pytest.raises(StoreUnavailable, match="did not answer"):
            async with asyncio.timeout(5):
                await connect(url)


async def test_a_read_ends_in_silence_too(wire: Between, database: Database) -> None:
    options = PoolOptions(timeout=0.5)
    reader = await Reader.open(wire.url, namespace=database.namespace, pool=options)
    wire.fall_silent()
    with pytest.raises(StoreUnavailable):
        async with asyncio.timeout(5):
            await reader.head()
    wire.speak_again()
    assert (await reader.head()).position == 0
    await reader.close()


@pytest.mark.skipif(sys.platform != "linux", reason="kernels name it differently")
async def test_the_kernel_looks_whether_the_host_is_still_there(
    wire: Between, database: Database
) -> None:
    alone = await connect(wire.url)
    reader = await Reader.open(wire.url, namespace=database.namespace)
    async with reader.pool.acquire() as pooled:
        for connection in (alone, cast("asyncpg.Connection", pooled)):
            found = connection._transport.get_extra_info("socket")  # noqa: SLF001 - no other way
            assert found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert found.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 25_000
            assert found.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 10
    await alone.close()
    await reader.close()
