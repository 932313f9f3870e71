"""All that only reads the store: events by position or stream, verdicts, the head, the tail."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import asyncpg

from treering.errors import StoreError, StoreNotReady, StoreUnavailable
from treering.message import DEFAULT_TENANT, Position, Stored, Stream, Verdict, Version
from treering.sql import REVISION, statement
from treering.store.call import verdict_of
from treering.store.connecting import (
    DEFAULT_POOL,
    PoolOptions,
    connect,
    keep_alive,
    patiently,
    schema_of,
    translated,
)
from treering.store.page import PAGE_BYTES

_NEWEST = 10_000
_LATEST = 2**31 - 1
_POLL = 1.0
"""Seconds after which a tail looks although nobody has called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where the store stands."""

    position: Position
    recorded_at: datetime
    epoch: str
    """Changes when a backup was restored."""
    horizon: datetime | None
    """Verdicts of commands that Kafka took before this may have been dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """Whether positions are gapless up to the head, and in words."""

    holds: bool
    detail: str


class Reader:
    """The store as seen by those who may only read."""

    def __init__(self, url: str, namespace: str, pool: asyncpg.Pool) -> None:
        self.namespace = namespace
        self.pool = pool
        self.url = url
        self._schema = schema_of(namespace)

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        namespace: str,
        pool: PoolOptions = DEFAULT_POOL,
        retry_seconds: float = 30,
    ) -> Self:
        """Connect, trying again for *retry_seconds*.

        Raises StoreUnavailable if the database stays away, StoreNotReady if it is not migrated.
        """

        async def connected() -> asyncpg.Pool:
            with translated():
                return await asyncpg.create_pool(
                    url,
                    min_size=pool.min,
                    max_size=pool.max,
                    timeout=pool.timeout,
                    command_timeout=max(pool.timeout, (pool.statement or 0) + 1),
                    max_inactive_connection_lifetime=pool.recycle,
                    server_settings=_settings(namespace) | _patience(pool.statement),
                    reset=_leave,
                    init=keep_alive,
                )

        made = await patiently(retry_seconds, connected)
        reader = cls(url, namespace, made)
        try:
            await reader.check()
        except StoreError:
            await made.close()
            raise
        return reader

    async def close(self) -> None:
        """Give the connections back."""
        await self.pool.close()

    async def __aenter__(self) -> Self:
        """Return the open reader."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        await self.close()

    async def check(self) -> None:
        """Raise StoreNotReady unless the store has the shape that this release needs."""
        rows = await self.fetch("select version_num from alembic_version")
        found = rows[0]["version_num"] if rows else None
        if found and found > REVISION:
            raise StoreNotReady(
                f"The store of {self.namespace!r} is at revision {found}, newer than {REVISION}, "
                "the last one that this release knows; run the newer release."
            )
        if found != REVISION:
            raise StoreNotReady(
                f"The store of {self.namespace!r} is at revision {found}, this release needs "
                f"{REVISION}; run `treering db upgrade`."
            )

    async def fetch(self, sql: str, *values: Any) -> list[Any]:
        """Run one statement that reads."""
        with translated():
            return await self.pool.fetch(sql, *values)

    async def head(self) -> Head:
        """Return where the store stands."""
        (row,) = await self.fetch(statement("head"))
        return Head(**row)

    async def read(self, after: Position, *, limit: int = 1000) -> list[Stored]:
        """Return up to *limit* events that follow *after*, in order, none left out.

        Large events make it fewer, of about 8 MB; there are none only if none follow.
        """
        rows = await self.fetch(statement("read"), after, limit, PAGE_BYTES)
        return [stored_of(row) for row in rows]

    async def read_stream(
        self, stream: Stream, *, after: Version = 0, upto: Version | None = None
    ) -> list[Stored]:
        """Return the events of *stream* that follow version *after*, up to *upto*."""
        return await self.read_streams([(stream, after, upto)])

    async def read_streams(
        self, asked: Sequence[tuple[Stream, Version, Version | None]]
    ) -> list[Stored]:
        """Return the events of several streams, each after one version and up to another."""
        rows = await self.fetch(
            statement("read_streams"),
            [stream for stream, _, _ in asked],
            [after for _, after, _ in asked],
            [_LATEST if upto is None else upto for _, _, upto in asked],
        )
        return [stored_of(row) for row in rows]

    async def verdict(self, command: str, tenant: str = DEFAULT_TENANT) -> Verdict | None:
        """Return what was decided of *command*, None if nothing was (or long ago)."""
        return (await self.verdicts([command], tenant)).get(command)

    async def verdicts(
        self, commands: Sequence[str], tenant: str = DEFAULT_TENANT
    ) -> dict[str, Verdict]:
        """Return what was decided of *commands*, by id."""
        rows = await self.fetch(statement("verdicts"), commands, tenant)
        return {row["id"]: verdict_of(row) for row in rows}

    async def tail(self, after: Position, *, limit: int = 1000) -> AsyncIterator[list[Stored]]:
        """Yield the events that follow *after* as they come, in order, nothing skipped, for ever.

        Raises StoreUnavailable when the database goes away; begin again at the last position seen.
        """
        called = asyncio.Event()
        settings = _settings(self.namespace)
        connection = await patiently(5, lambda: connect(self.url, settings=settings))
        try:
            with translated():
                await connection.add_listener(self._schema, _calling(called))
            connection.add_termination_listener(_calling(called))
            while True:
                called.clear()
                if events := await self.read(after, limit=limit):
                    after = events[-1].position
                    yield events
                elif connection.is_closed():
                    raise StoreUnavailable("The connection that calls for new events was lost.")
                else:
                    await _wait(called, _POLL)
        finally:
            connection.terminate()

    async def invariant(self, *, full: bool = False) -> Invariant:
        """Say whether positions are gapless: the newest 10,000, or all (which takes its time)."""
        head = (await self.head()).position
        above = 0 if full else max(0, head - _NEWEST)
        (row,) = await self.fetch(statement("invariant"), above)
        holds = row["head"] == row["newest"] and row["counted"] == row["head"] - above
        detail = (
            f"head {row['head']}, newest {row['newest']}, {row['counted']} events above {above}"
        )
        return Invariant(holds=holds, detail=detail)


def _settings(namespace: str) -> dict[str, str]:
    schema = schema_of(namespace)
    return {
        "search_path": f"{schema}, {schema}_read",
        "timezone": "UTC",
        "application_name": f"treering {namespace}",
        "jit": "off",
        "idle_in_transaction_session_timeout": "30s",
    }


def _patience(seconds: float | None) -> dict[str, str]:
    return {} if seconds is None else {"statement_timeout": f"{seconds * 1000:.0f}ms"}


def stored_of(row: Any) -> Stored:
    """Return the event in *row*; naming the fields is five times as fast as `**row`."""
    (
        position, stream, version, id_, type_, body, time, recorded_at, tenant, actor,
        correlation, causation, traceparent,
    ) = row  # fmt: skip
    return Stored(
        position=position,
        stream=stream,
        version=version,
        id=id_,
        type=type_,
        body=body,
        time=time,
        recorded_at=recorded_at,
        tenant=tenant,
        actor=actor,
        correlation=correlation,
        causation=causation,
        traceparent=traceparent,
    )


def _calling(event: asyncio.Event) -> Callable[..., None]:
    def call(*_: object) -> None:
        event.set()

    return call


async def _leave(_connection: object) -> None:
    """Leave a session as it is: nobody changes it, and a reset costs a round trip a statement."""


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
