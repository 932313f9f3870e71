"""A lock that one has at a time, and that is lost with its session."""

import asyncio

import asyncpg
import pytest

from tests.store.asking import soon
from treering.embedded import Addresses
from treering.errors import StoreUnavailable
from treering.store.lock import alone

LOOKED_IN_VAIN = """
select count(*) from pg_stat_activity
 where state = 'idle' and query like '%pg_try_advisory_lock(%' and pid not in (
       select pid from pg_locks where locktype = 'advisory')
"""


class Work:
    """Goes on until it is told to end."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.end = asyncio.Event()
        self.cancelled = False

    async def __call__(self) -> str:
        self.begun.set()
        try:
            await self.end.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return "done"


async def test_the_second_waits_for_the_first(servers: Addresses, namespace: str) -> None:
    first, second = Work(), Work()
    working = [
        asyncio.create_task(alone(servers.database, namespace, each)) for each in (first, second)
    ]
    await asyncio.wait(
        [asyncio.create_task(each.begun.wait()) for each in (first, second)],
        return_when=asyncio.FIRST_COMPLETED,
    )
    connection = await asyncpg.connect(servers.database)
    await soon(lambda: connection.fetchval(LOOKED_IN_VAIN))
    await connection.close()
    assert first.begun.is_set() != second.begun.is_set()
    first.end.set()
    second.end.set()
    assert await asyncio.gather(*working) == ["done", "done"]


async def test_another_name_is_another_lock(servers: Addresses, namespace: str) -> None:
    first, second = Work(), Work()
    working = [
        asyncio.create_task(alone(servers.database, f"{namespace} {n}", each))
        for n, each in enumerate((first, second))
    ]
    async with asyncio.timeout(20):
        await first.begun.wait()
        await second.begun.wait()
    first.end.set()
    second.end.set()
    await asyncio.gather(*working)


async def test_what_goes_wrong_passes_through_and_frees_the_lock(
    servers: Addresses, namespace: str
) -> None:
    async def fails() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await alone(servers.database, namespace, fails)
    work = Work()
    work.end.set()
    assert await alone(servers.database, namespace, work) == "done"


async def test_work_is_cancelled_when_the_session_is_lost(
    servers: Addresses, namespace: str
) -> None:
    work = Work()
    working = asyncio.create_task(alone(servers.database, namespace, work))
    await work.begun.wait()
    connection = await asyncpg.connect(servers.database)
    await connection.execute(
        "select pg_terminate_backend(pid) from pg_locks"
        " where locktype = 'advisory' and pid <> pg_backend_pid()"
        " and ((classid::bigint << 32) | objid::bigint) = hashtextextended($1, 0)",
        namespace,
    )
    await connection.close()
    with pytest.raises(StoreUnavailable):
        await working
    assert work.cancelled


async def test_a_holder_is_heard_for_longer_than_silence_may_last(
    servers: Addresses, namespace: str
) -> None:
    async def lasting() -> str:
        await asyncio.sleep(1)
        return "done"

    assert await alone(servers.database, namespace, lasting, session_seconds=0.4) == "done"
