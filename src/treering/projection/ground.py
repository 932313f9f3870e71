"""What projectors stand on: the store they read, the types they know, the schema they write."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import asyncpg

from treering.message import Position
from treering.projection.build import act_as_owner, prepare, schema_for
from treering.projection.declaration import Projection
from treering.projection.session import Session
from treering.registry import Registry
from treering.store import Reader
from treering.store.connecting import connect, schema_of, translated


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One namespace, for those who fold in it."""

    reader: Reader
    registry: Registry
    namespace: str
    seconds: float = 1.0
    """Seconds of silence after which another may take over."""

    @property
    def schema(self) -> str:
        """The schema of the read models."""
        return schema_for(self.namespace)

    def session(self, projections: Iterable[Projection]) -> AbstractAsyncContextManager[Session]:
        """Open a session for locks and calls, which announces *projections*."""
        url, store = self.reader.url, schema_of(self.namespace)
        versions = {each.name: each.version for each in projections}
        return Session.open(url, store, self.schema, self.seconds, versions)

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[asyncpg.Connection]:
        """Open a connection to write with: what it commits may be lost, as it can be folded again.

        PostgreSQL ends it when it falls silent in a transaction, so that a frozen process holds
        nobody up.
        """
        connection = await connect(
            self.reader.url,
            settings={
                "search_path": f"{self.schema}, {schema_of(self.namespace)}",
                "synchronous_commit": "off",
                "jit": "off",
                "idle_in_transaction_session_timeout": f"{round(1000 * self.seconds)}ms",
            },
        )
        try:
            with translated():
                await prepare(connection, self.schema)
                await act_as_owner(connection)
            yield connection
        finally:
            connection.terminate()

    async def event_at(self, position: Position) -> str:
        """Return the id of the event at *position*, empty if there is none."""
        found = await self.reader.read(position - 1, limit=1) if position > 0 else []
        return found[0].id if found and found[0].position == position else ""
