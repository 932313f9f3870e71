"""All rows that match, as PostgreSQL pours them out: however many, in little memory."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

import asyncpg
from sqlalchemy import select

from treering.query import QueryOptions
from treering.reading.ordering import Ordering
from treering.reading.selecting import Source, Statement, columns_of, compiled, wanted_of
from treering.reading.showing import plain_of, shown
from treering.store.connecting import connect, translated

type Form = Literal["csv", "ndjson"]

_WAITING = 4
"""Pieces that wait for whoever takes them; then PostgreSQL waits."""
_PIECE = 64 << 10
"""Bytes, about; PostgreSQL's own pieces are a few rows each, which costs those who pass them on."""
_HOW: Mapping[Form, Mapping[str, Any]] = {
    "csv": {"format": "csv", "header": True},
    "ndjson": {"format": "csv", "quote": "\x01", "delimiter": "\x02"},
}
"""Control characters are escaped within JSON, so that lines of it are quoted by none."""


def exported(source: Source, asked: QueryOptions, *, form: Form) -> Statement:
    """Return the statement for all rows that match, in the order that is asked for."""
    columns = columns_of(source.table, asked.fields)
    seen = [each for each in columns if not each.name.startswith("_")]
    shows = [plain_of(each).label(each.name) for each in seen] if form == "csv" else [shown(seen)]
    order = Ordering(source.table, asked, source.shape).by()
    return compiled(select(*shows).where(wanted_of(source, asked)).order_by(*order))


async def poured(
    url: str, statement: Statement, values: Sequence[Any], form: Form
) -> AsyncGenerator[bytes]:
    """Yield what the statement finds, in pieces of any size.

    A connection of its own is at work until all is taken, or whoever takes it has gone.
    """
    waiting: asyncio.Queue[bytes | None] = asyncio.Queue(_WAITING)
    connection = await connect(url)
    pouring = asyncio.create_task(_pour(connection, statement, values, form, waiting))
    try:
        while (piece := await waiting.get()) is not None:
            yield piece
        await pouring
    finally:
        pouring.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait({pouring})
        connection.terminate()


async def _pour(
    connection: asyncpg.Connection,
    statement: Statement,
    values: Sequence[Any],
    form: Form,
    waiting: asyncio.Queue[bytes | None],
) -> None:
    gathered = bytearray()

    async def take(piece: bytes) -> None:
        gathered.extend(piece)
        if len(gathered) >= _PIECE:
            await waiting.put(bytes(gathered))
            gathered.clear()

    try:
        with translated():
            await connection.copy_from_query(statement.sql, *values, output=take, **_HOW[form])
        if gathered:
            await waiting.put(bytes(gathered))
    finally:
        await waiting.put(None)
