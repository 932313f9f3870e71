"""The session that says who folds what: it holds locks, hears calls, and must not fall silent.

PostgreSQL ends a session that says nothing for a while. So a frozen process loses its locks, and
another takes over.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress

import asyncpg

from treering.errors import StoreUnavailable
from treering.sql import statement
from treering.store.connecting import connect, translated


class Session:
    """Locks, and calls on the store's channel and the read models' one."""

    def __init__(self, connection: asyncpg.Connection, seconds: float) -> None:
        self.called = asyncio.Event()
        """Set when there may be something new."""
        self.taken_up: dict[str, int] = {}
        """Builds that were taken up meanwhile, by read model."""
        self._connection = connection
        self._seconds = seconds
        self._speaking = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, store_schema: str, read_schema: str, seconds: float
    ) -> AsyncGenerator["Session"]:
        """Open a session that is over once it is silent for *seconds*."""
        settings = {"idle_session_timeout": f"{round(1000 * seconds)}ms"}
        connection = await connect(url, settings=settings)
        session = cls(connection, seconds)
        try:
            with translated():
                await connection.add_listener(store_schema, session._call)
                await connection.add_listener(read_schema, session._hear)
            connection.add_termination_listener(session._call)
            yield session
        finally:
            connection.terminate()

    async def take(self, names: Iterable[str]) -> list[str]:
        """Take the locks that are free; return their names."""
        async with self._speaking:
            with translated():
                rows = await self._connection.fetch(statement("projection_lock"), list(names))
        return [row["name"] for row in rows]

    async def keep(self) -> None:
        """Speak often enough, for ever; raises StoreUnavailable once the session is over."""
        while True:
            async with self._speaking:
                if self._connection.is_closed():
                    raise StoreUnavailable("The session that held the read models' locks is over.")
                with translated():
                    await self._connection.execute("select", timeout=2 * self._seconds)
            await asyncio.sleep(self._seconds / 4)

    async def wait(self, seconds: float) -> None:
        """Wait to be called, at most *seconds*."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.called.wait()

    def _call(self, *_: object) -> None:
        self.called.set()

    def _hear(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        """Take note when a build is taken up; that others have moved concerns those who read."""
        name, _, build = str(payload).partition(" ")
        if build.isdigit():
            self.taken_up[name] = int(build)
            self.called.set()
