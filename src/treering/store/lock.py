"""A lock that one process has at a time, and that a frozen one loses.

It belongs to a database session of its own. PostgreSQL ends a session that says nothing for a
while, and whoever has the lock says something more often than that.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg

from treering.errors import StoreUnavailable
from treering.sql import statement
from treering.store.connecting import connect, translated

_LOOK_SECONDS = 0.2


async def alone[T](
    url: str, name: str, work: Callable[[], Awaitable[T]], *, session_seconds: float = 5
) -> T:
    """Await *work* while nobody else in this database has the lock *name*; waits for its turn.

    Whoever is silent for *session_seconds* has lost it. Raises StoreUnavailable, with *work*
    cancelled, as soon as it is known to be lost: another may be at work by then, so that what
    *work* writes elsewhere has to be fenced there.
    """
    silence = f"{round(1000 * session_seconds)}ms"
    connection = await connect(url, settings={"idle_session_timeout": silence})
    try:
        await _take(connection, name)
        keeping = asyncio.ensure_future(_keep(connection, name, session_seconds / 4))
        return await _until(keeping, asyncio.ensure_future(work()))
    finally:
        connection.terminate()


async def _until[T](keeping: asyncio.Future[None], working: asyncio.Future[T]) -> T:
    """Return what *working* returns; when *keeping* fails before, cancel it and raise that."""
    try:
        await asyncio.wait({working, keeping}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            keeping.result()
        return await working
    finally:
        for task in (working, keeping):
            task.cancel()
        await asyncio.gather(working, keeping, return_exceptions=True)


async def _take(connection: asyncpg.Connection, name: str) -> None:
    with translated():
        while not await connection.fetchval(statement("try_lock"), name):  # noqa: ASYNC110 - another process has it
            await asyncio.sleep(_LOOK_SECONDS)


async def _keep(connection: asyncpg.Connection, name: str, seconds: float) -> None:
    """Say something every few *seconds*; raises StoreUnavailable once the session is over."""
    over = asyncio.Event()
    connection.add_termination_listener(lambda _: over.set())
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await over.wait()
        if connection.is_closed():
            raise StoreUnavailable(f"The lock {name!r} was lost with its session.")
        with translated():
            await connection.execute("select", timeout=2 * seconds)
