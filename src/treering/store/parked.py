"""Records of commands that only a newer release understands: they wait in the store."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import msgspec

from treering.sql import statement
from treering.store.connecting import connect, translated
from treering.store.page import PAGE_BYTES
from treering.store.reader import Reader

_MOST = 500
"""Records taken up at once; their bodies have about 8 MB at most."""
_SILENCE = "10s"
"""After which a frozen process has a partition no longer."""


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """A record as it came, and what it says it is."""

    topic: str
    partition: int
    offset: int
    at: datetime
    """When Kafka took it."""
    command: str
    type: str
    revision: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """How many commands of one revision wait."""

    type: str
    revision: int
    waiting: int
    oldest: datetime
    """When Kafka took the oldest."""


async def park(store: Reader, parked: Parked) -> None:
    """Keep *parked*; once is enough, however often it is said."""
    await store.fetch(
        statement("park"),
        *_place(parked),
        parked.command,
        parked.type,
        parked.revision,
        parked.key,
        parked.value,
        [name.encode() for name, _ in parked.headers],
        [said for _, said in parked.headers],
    )


async def unpark(store: Reader, settled: Sequence[Parked]) -> None:
    """Forget those whose commands are *settled*."""
    if settled:
        await store.fetch(statement("unpark"), *zip(*map(_place, settled), strict=True))


type _Page = tuple[str, Sequence[Any]]
"""A statement, and its parameters."""


@asynccontextmanager
async def taken_up(store: Reader, known: Mapping[str, int]) -> AsyncGenerator[Sequence[Parked]]:
    """Hold the first records of *known* types, each up to a revision, of some partition.

    They are in the order in which they came, and nobody else takes up records of that partition
    meanwhile: so commands about one stream stay in order, and several handlers share the work.
    """
    types = [*known], [*known.values()]
    async with _held(store, ("parked_parts", types), ("parked", types)) as found:
        yield found


@asynccontextmanager
async def overdue(
    store: Reader, before: datetime, known: Mapping[str, int]
) -> AsyncGenerator[Sequence[Parked]]:
    """Hold records of some partition that Kafka took *before* that, and that are not *known*.

    Nobody else takes up records of that partition meanwhile.
    """
    asked = before, [*known], [*known.values()]
    parts = "parked_overdue_parts", asked
    async with _held(store, parts, ("parked_overdue", asked)) as found:
        yield found


@asynccontextmanager
async def _held(store: Reader, parts: _Page, page: _Page) -> AsyncGenerator[Sequence[Parked]]:
    """Hold a page of the first of the *parts* that nobody else holds."""
    found = await store.fetch(statement(parts[0]), *parts[1])
    if not found:
        yield ()
        return
    connection = await connect(store.url, settings={"idle_session_timeout": _SILENCE})
    try:
        for topic, partition in found:
            name = f"{partition} of {topic} parked in {store.namespace}"
            with translated():
                if not await connection.fetchval(statement("try_lock"), name):
                    continue
            asked = statement(page[0]), topic, partition, *page[1], _MOST, PAGE_BYTES
            yield [*map(_of_row, await store.fetch(*asked))]
            with translated():
                await connection.execute("select pg_advisory_unlock_all()")
            return
        yield ()
    finally:
        connection.terminate()


async def size(store: Reader) -> tuple[int, int]:
    """Return how many records wait, and how many bytes their bodies have."""
    ((records, bytes_),) = await store.fetch(statement("parked_size"))
    return records, bytes_


async def is_parked(store: Reader, command: str) -> bool:
    """Say whether the command of that id waits for a newer handler."""
    (row,) = await store.fetch(statement("parked_command"), command)
    return row["waits"]


async def waiting(store: Reader) -> list[Waiting]:
    """Return how many commands wait for a newer handler, by type and revision."""
    return [Waiting(**row) for row in await store.fetch(statement("parked_waiting"))]


_COLUMNS = (
    "topic", "partition", "offset", "at", "command", "type", "revision", "key", "value",
)  # fmt: skip


def _of_row(row: Any) -> Parked:
    headers = zip(row["names"], row["said"], strict=True)
    return Parked(
        **{name: row[name] for name in _COLUMNS},
        headers=[(name.decode(), said) for name, said in headers],
    )


def _place(parked: Parked) -> tuple[str, int, int, datetime]:
    return parked.topic, parked.partition, parked.offset, parked.at
