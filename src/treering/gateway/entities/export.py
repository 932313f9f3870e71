"""All rows of a collection that match, as one file: CSV, lines of JSON, or a JSON array."""

import asyncio
import zlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from treering.gateway.entities.questions import ANY, Questions
from treering.gateway.http.problem import TooMany
from treering.gateway.http.query import Parser, one_of
from treering.gateway.http.routes import Routes
from treering.query import MATCHING, QueryOptions

_AT_ONCE = 4
"""Exports of one process; each has a connection of its own."""
_TYPES = {
    "csv": "text/csv; charset=utf-8; header=present",
    "ndjson": "application/x-ndjson",
    "json": "application/json",
}
_KNOWN: Mapping[str, Parser] = {
    **ANY,
    "format": one_of(*_TYPES),
}
_GZIP = 31
"""What zlib calls a gzip file."""


class Exports:
    """GET of `$export`; filters, `search`, `sort` and `fields` are as for lists."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions
        self._running = asyncio.Semaphore(_AT_ONCE)

    def add_to(self, routes: Routes) -> None:
        """Add the address."""
        routes.add("GET", f"{self._questions.collection.path}/$export", self.export)

    async def export(self, request: Request) -> Response:
        """Answer with a file; a fault on the way cuts the answer off, so that nobody takes it."""
        asked = await self._questions.asked(request, _KNOWN, (*MATCHING, "sort", "fields"))
        if self._running.locked():
            raise TooMany(f"{_AT_ONCE} exports are running here; try again when one has ended.")
        form = asked.said.get("format", "csv")
        address = self._questions.collection.address
        rows = self._rows(asked.options(), form)
        first = await anext(rows, b"")
        packed = "gzip" in request.headers.get("accept-encoding", "")
        pieces = _following(first, rows)
        said = {
            **(asked.headers or {}),
            "Content-Disposition": f'attachment; filename="{address}.{form}"',
            "Vary": "Accept-Encoding",
            **({"Content-Encoding": "gzip"} if packed else {}),
        }
        return StreamingResponse(
            _gzipped(pieces) if packed else pieces, headers=said, media_type=_TYPES[form]
        )

    async def _rows(self, asked: QueryOptions, form: str) -> AsyncGenerator[bytes]:
        async with self._running:
            models, name = self._questions.read_models, self._questions.name
            poured = models.export(name, asked, "csv" if form == "csv" else "ndjson")
            async with aclosing(poured if form != "json" else _array(poured)) as pieces:
                async for piece in pieces:
                    yield piece


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


async def _gzipped(pieces: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    packer = zlib.compressobj(1, wbits=_GZIP)
    async with aclosing(pieces):
        async for piece in pieces:
            if packed := packer.compress(piece):
                yield packed
    yield packer.flush()
