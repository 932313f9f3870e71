"""Connections to PostgreSQL: how they are opened, tried again, given up, and their errors named."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
import stamina
import structlog

from treering.errors import BadRequest, StoreError, StoreNotReady, StoreUnavailable, TookTooLong

_GONE = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""How the driver says that a database is down or has gone away."""
_CULPABLE = ("22", "23", "54", "P0")
"""Classes of SQLSTATE that blame what was asked: data, constraints, limits, a raised exception."""
_UNREADY = ("3F", "42")
"""Classes that blame the database's shape."""
_CONNECT_SECONDS = 10.0
_PROBES = [
    (getattr(socket, name), value)
    for name, value in (
        ("TCP_KEEPIDLE", 10),
        ("TCP_KEEPINTVL", 5),
        ("TCP_KEEPCNT", 3),
        ("TCP_USER_TIMEOUT", 25_000),
    )
    if hasattr(socket, name)
]
"""How a kernel finds out within 25 seconds that a host is gone; not each one has them all."""
_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolOptions:
    """How many connections a process keeps and how long it waits for them."""

    min: int = 1
    max: int = 8
    timeout: float = 10
    recycle: float = 300
    statement: float | None = None
    """Seconds after which the database gives a statement up."""


DEFAULT_POOL = PoolOptions()


def schema_of(namespace: str) -> str:
    """Return the PostgreSQL schema of the store of *namespace*; read models have `…_read`."""
    return namespace.replace("-", "_")


def quoted(name: str) -> str:
    """Return *name* as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


async def connect(url: str, *, settings: Mapping[str, str] | None = None) -> asyncpg.Connection:
    """Open one connection; raises StoreUnavailable or StoreNotReady."""
    with translated():
        connection = await asyncpg.connect(
            url,
            timeout=_CONNECT_SECONDS,
            server_settings={"timezone": "UTC", "application_name": "treering", **(settings or {})},
        )
        await keep_alive(connection)
        return connection


async def keep_alive(connection: asyncpg.Connection) -> None:
    """Have *connection* fail soon after the database's host has gone without a word."""
    transport: asyncio.BaseTransport = connection._transport  # noqa: SLF001 - the only way to it
    wire = transport.get_extra_info("socket")
    if wire.family in (socket.AF_INET, socket.AF_INET6):
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _PROBES:
            wire.setsockopt(socket.IPPROTO_TCP, option, value)


@contextmanager
def answered_within(seconds: float, connection: asyncpg.Connection) -> Generator[None]:
    """Give *connection* up after *seconds*, so that who waits for it is told it is gone.

    What was asked is not cancelled: PostgreSQL may still do it.
    """

    def give_up() -> None:
        _log.warning("PostgreSQL does not answer; its connection is given up", seconds=seconds)
        connection.terminate()

    overdue = asyncio.get_running_loop().call_later(seconds, give_up)
    try:
        yield
    finally:
        overdue.cancel()


async def patiently[T](seconds: float, attempt: Callable[[], Awaitable[T]]) -> T:
    """Return what *attempt* gives, trying again, with growing pauses, what is StoreUnavailable."""
    again = stamina.AsyncRetryingCaller(
        timeout=seconds, attempts=None, wait_initial=0.05, wait_max=2, wait_jitter=0.05
    )
    return await again(StoreUnavailable, attempt)


async def reached_schema(connection: asyncpg.Connection, namespace: str) -> bool:
    """Say whether the store's schema is there."""
    return bool(
        await connection.fetchval(
            "select to_regnamespace($1) is not null", quoted(schema_of(namespace))
        )
    )


@contextmanager
def translated() -> Generator[None]:
    """Name the driver's errors: the one place where it is done."""
    try:
        yield
    except asyncpg.ClientConfigurationError as error:
        raise StoreNotReady(f"The database's URL cannot be used: {error}.") from error
    except _GONE as error:
        raise StoreUnavailable(
            f"PostgreSQL did not answer: {error or type(error).__name__}."
        ) from error
    except asyncpg.PostgresError as error:
        raise _named(error) from error


def _named(error: asyncpg.PostgresError) -> StoreError:
    """Return what PostgreSQL's error is to us: whatever blames no one may pass by itself.

    Its first line alone is told, for a sender may see it: details hold values of other rows.
    """
    state = str(getattr(error, "sqlstate", None) or "")
    said = f"{error.args[0]} (SQLSTATE {state or 'unknown'})"
    if state.startswith(_CULPABLE):
        return BadRequest(f"PostgreSQL refuses it: {said}.")
    if isinstance(error, asyncpg.QueryCanceledError):
        return TookTooLong(f"PostgreSQL gave it up: {said}.")
    if state[:2] in ("28", "3D"):
        return StoreNotReady(f"PostgreSQL does not let us in: {said}; check the database's URL.")
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return StoreNotReady(f"The database user lacks a right: {said}; run `treering db upgrade`.")
    if state.startswith(_UNREADY):
        return StoreNotReady(f"The store is not there: {said}; run `treering db upgrade`.")
    return StoreUnavailable(f"PostgreSQL cannot do it now: {said}.")


def url_for(url: str, user: str) -> str:
    """Return *url* with another user, without a password."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(user)}@{place}"))
