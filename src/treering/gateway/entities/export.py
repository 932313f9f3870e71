"""All rows of a collection that match, as one file: CSV, lines of JSON, an array of it, or XLSX."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from treering.gateway import sheets
from treering.gateway.entities.questions import ANY, Questions
from treering.gateway.forms.accepting import coding
from treering.gateway.forms.packing import poured as packed
from treering.gateway.http.problem import TooLong, TooMany
from treering.gateway.http.query import Parser, one_of
from treering.gateway.http.routes import Routes
from treering.query import MATCHING, QueryOptions

AT_ONCE = 4
"""Exports of one process; each has a connection of its own."""
_XLSX = "xlsx"
_TYPES = {
    "csv": "text/csv; charset=utf-8; header=present",
    "ndjson": "application/x-ndjson",
    "json": "application/json",
    _XLSX: sheets.MEDIA_TYPE,
}
_KNOWN: Mapping[str, Parser] = {
    **ANY,
    "format": one_of(*_TYPES),
}


class Exports:
    """GET of `$export`; filters, `search`, `sort` and `fields` are as for lists."""

    def __init__(self, questions: Questions, running: asyncio.Semaphore) -> None:
        self._questions = questions
        self._running = running
        """Of all collections."""

    def add_to(self, routes: Routes) -> None:
        """Add the address."""
        routes.add("GET", f"{self._questions.collection.path}/$export", self.export)

    async def export(self, request: Request) -> Response:
        """Answer with a file; a fault on the way cuts the answer off, so that nobody takes it."""
        asked = await self._questions.asked(request, _KNOWN, (*MATCHING, "sort", "fields"))
        form = asked.said.get("format", "csv")
        wanted = asked.options()
        if form == _XLSX:
            await self._check(wanted)
        if self._running.locked():
            raise TooMany(f"{AT_ONCE} exports are running here; try again when one has ended.")
        address = self._questions.collection.address
        rows = self._rows(wanted, form)
        first = await anext(rows, b"")
        pieces = _following(first, rows)
        packing = None if form == _XLSX else coding(request.headers.get("accept-encoding"))
        said = {
            **(asked.headers or {}),
            "Content-Disposition": f'attachment; filename="{address}.{form}"',
            **({"Content-Encoding": packing} if packing else {}),
        }
        body = packed(pieces, packing) if packing else pieces
        return StreamingResponse(body, headers=said, media_type=_TYPES[form])

    async def _check(self, asked: QueryOptions) -> None:
        """Raise TooLong if not all rows go onto one sheet."""
        total = await self._questions.read_models.total(self._questions.name, asked)
        if total > sheets.MOST:
            raise TooLong(
                f"{total:,} rows match, and a sheet holds {sheets.MOST:,}: narrow them by filters, "
                "or take format=csv."
            )

    async def _rows(self, asked: QueryOptions, form: str) -> AsyncGenerator[bytes]:
        async with self._running, aclosing(self._formed(asked, form)) as pieces:
            async for piece in pieces:
                yield piece

    def _formed(self, asked: QueryOptions, form: str) -> AsyncGenerator[bytes]:
        models, name = self._questions.read_models, self._questions.name
        if form in ("csv", _XLSX):
            table = models.export(name, asked, "csv")
            words = models.shape(name).words
            return table if form == "csv" else sheets.workbook(name, words, table)
        lines = models.export(name, asked, "ndjson")
        return lines if form == "ndjson" else _array(lines)


async def _array(lines: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Yield an array of the objects that stand on *lines*, which end with a line feed each."""
    opening = b"["
    async with aclosing(lines):
        async for piece in lines:
            # The last line feed waits, as it becomes a comma only if another line follows.
            yield opening + piece.removesuffix(b"\n").replace(b"\n", b",\n")
            opening = b",\n" if piece.endswith(b"\n") else b""
    yield b"[]" if opening == b"[" else b"]"


async def _following(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(rest):
        yield first
        async for piece in rest:
            yield piece
