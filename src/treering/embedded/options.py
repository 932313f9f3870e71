"""What is asked of the embedded servers, and what they answer: plain data."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """Which servers to start, and from what. By default both, out of wheels."""

    kafka: str | None = None
    """`host:port` of a Kafka that is already there; then none is started."""
    database: str | None = None
    """URL of a PostgreSQL that is already there; then none is started."""
    kafka_port: int | None = None
    """The port Kafka listens on; without it a free one, the same as last time if it can be."""
    jars: Path | None = None
    """A folder with Kafka's jars, instead of fetching them."""
    mirror: str | None = None
    """The address of a Maven repository to fetch the jars from."""
    postgres_bin: Path | None = None
    """The folder with `initdb` and `postgres` of another PostgreSQL, instead of the wheel's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the servers are reached."""

    kafka: str
    """`host:port`"""
    database: str
    """URL of the database's superuser, as asyncpg and libpq understand it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far something slow has come; *done* and *total* count bytes or steps."""

    what: str
    done: int
    total: int


def ignore(progress: Progress) -> None:
    """Take a progress report and do nothing with it."""
