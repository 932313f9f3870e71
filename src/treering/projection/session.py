"""The session that says who folds what: it holds locks, hears calls, and must not fall silent.

PostgreSQL ends a session that says nothing for a while. So a frozen process loses its locks, and
another takes over.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress

import asyncpg

from treering.errors import StoreUnavailable
from treering.projection.announcing import announce, application
from treering.sql import statement
from treering.store.connecting import connect, translated


class Session:
    """Locks, and calls on the store's channel and the read models' one."""

    def __init__(self, connection: asyncpg.Connection, seconds: float) -> None:
        self.called = asyncio.Event()
        """Set when there may be something new."""
        self.taken_up: dict[tuple[str, str], int] = {}
        """Builds that were taken up meanwhile, by read model and version."""
        self._connection = connection
        self._seconds = seconds
        self._speaking = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: str,
        store_schema: str,
        read_schema: str,
        seconds: float,
        versions: Mapping[str, str],
    ) -> AsyncGenerator["Session"]:
        """Open a session that is over once it is silent for *seconds*, and announces *versions*."""
        settings = {
            "idle_session_timeout": f"{round(1000 * seconds)}ms",
            **application("projector"),
        }
        connection = await connect(url, settings=settings)
        session = cls(connection, seconds)
        try:
            with translated():
                await connection.add_listener(store_schema, session._call)
                await connection.add_listener(read_schema, session._hear)
                await announce(connection, read_schema, versions)
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
        match str(payload).split(" "):
            case [name, build, version] if build.isdigit():
                self.taken_up[name, version] = int(build)
                self.called.set()
            case _:
                return
