"""The tail: what follows, in order, nothing skipped, while others write."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from typing import cast

import asyncpg
import pytest

from tests.store.asking import appended, as_owner, asking, owner_of, soon
from treering.errors import StoreUnavailable
from treering.message import Stored
from treering.store import Reader, Store
from treering.testing.fixtures import Database

WRITERS = 8
SECONDS = 5.0


def tail_of(reader: Reader, after: int = 0, *, limit: int = 1000) -> AsyncGenerator[list[Stored]]:
    """Return the reader's tail as what can be closed."""
    return cast("AsyncGenerator[list[Stored]]", reader.tail(after, limit=limit))


async def test_a_tail_yields_what_is_there_and_then_what_comes(
    store: Store, reader: Reader
) -> None:
    await appended(store, asking("dataset/1", count=3))
    async with aclosing(tail_of(reader, 1, limit=1)) as tail:
        assert [(await anext(tail))[0].position for _ in range(2)] == [2, 3]
        coming = asyncio.ensure_future(anext(tail))
        await appended(store, asking("dataset/2"))
        assert [event.stream for event in await coming] == ["dataset/2"]


async def test_a_tail_looks_although_nobody_calls(
    store: Store, reader: Reader, database: Database
) -> None:
    await appended(store, asking("dataset/1"))
    async with aclosing(tail_of(reader)) as tail:
        await anext(tail)
        looked = await as_owner(database, "select clock_timestamp()")
        coming = asyncio.ensure_future(anext(tail))
        name = f"treering {database.namespace}"
        await soon(lambda: as_owner(database, _LOOKED, name, looked))
        await as_owner(database, _UNANNOUNCED)
        assert [event.position for event in await coming] == [2]


async def test_a_tail_whose_connection_is_lost_says_so(
    store: Store, reader: Reader, database: Database
) -> None:
    await appended(store, asking("dataset/1"))
    async with aclosing(tail_of(reader)) as tail:
        await anext(tail)
        coming = asyncio.ensure_future(anext(tail))
        await as_owner(database, _KILL, f"treering {database.namespace}")
        with pytest.raises(StoreUnavailable):
            await coming


async def test_a_tail_misses_nothing_where_a_naive_one_does(
    database: Database, reader: Reader
) -> None:
    owner = await owner_of(database)
    await owner.execute("create table naive (id bigint generated always as identity, writer int)")
    until = time.monotonic() + SECONDS
    async with AsyncExitStack() as stack:
        stores = [
            await stack.enter_async_context(
                await Store.open(database.writer, namespace=database.namespace)
            )
            for _ in range(WRITERS)
        ]
        followed = asyncio.create_task(_follow(reader))
        misled = asyncio.create_task(_follow_naively(database, until + 1))
        await asyncio.gather(
            *(_write(store, number, until) for number, store in enumerate(stores)),
            *(_write_naively(database, number, until) for number in range(WRITERS)),
        )
    await appended_last(database)
    seen = await followed
    assert seen == list(range(1, (await reader.head()).position + 1))
    written = await owner.fetchval("select count(*) from naive")
    await owner.close()
    assert len(seen) > 100
    assert len(await misled) < written


async def appended_last(database: Database) -> None:
    """Append the event at which followers stop."""
    async with await Store.open(database.writer, namespace=database.namespace) as store:
        await appended(store, asking("dataset/last"))


async def _follow(reader: Reader) -> list[int]:
    seen: list[int] = []
    async with aclosing(tail_of(reader)) as tail:
        async for events in tail:
            seen += [event.position for event in events]
            if events[-1].stream == "dataset/last":
                break
    return seen


async def _write(store: Store, writer: int, until: float) -> None:
    number = 0
    while time.monotonic() < until:
        number += 1
        await appended(store, asking(f"dataset/{writer}-{number}", count=number % 3 + 1))


async def _write_naively(database: Database, writer: int, until: float) -> None:
    connection = await owner_of(database)
    while time.monotonic() < until:
        async with connection.transaction():
            await connection.execute("insert into naive (writer) values ($1)", writer)
            await connection.execute("select pg_sleep(random() * 0.01)")
    await connection.close()


async def _follow_naively(database: Database, until: float) -> list[int]:
    connection: asyncpg.Connection = await owner_of(database)
    seen: list[int] = []
    while time.monotonic() < until:
        rows = await connection.fetch(
            "select id from naive where id > $1 order by id", max(seen, default=0)
        )
        seen += [row["id"] for row in rows]
    await connection.close()
    return seen


_UNANNOUNCED = """
with head as (update head set position = 2)
insert into events select 2, recorded_at, time, gen_random_uuid(), 2, stream, type, body, tenant,
                          actor, correlation, causation, traceparent from events
"""
_LOOKED = """
select count(*) from pg_stat_activity
 where application_name = $1 and state = 'idle' and query_start > $2 and query like '%from events%'
"""
_KILL = """
select bool_and(pg_terminate_backend(pid, 10000)) from pg_stat_activity where application_name = $1
"""
