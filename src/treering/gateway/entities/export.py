"""All rows of a collection that match, as one file: CSV, lines of JSON, or a JSON array."""

import asyncio
import zlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from treering.gateway.collection import Collection
from treering.gateway.freshness import Freshness
from treering.gateway.http.problem import TooMany
from treering.gateway.http.query import Parser, one_of, parsed
from treering.gateway.http.routes import Routes
from treering.query import MATCHING, Parsing, QueryOptions, truth
from treering.reading import ReadModels

_AT_ONCE = 4
"""Exports of one process; each has a connection of its own."""
_TYPES = {
    "csv": "text/csv; charset=utf-8; header=present",
    "ndjson": "application/x-ndjson",
    "json": "application/json",
}
_KNOWN: Mapping[str, Parser] = {
    "include_deleted": truth,
    "min_position": str,
    "format": one_of(*_TYPES),
}
_GZIP = 31
"""What zlib calls a gzip file."""


class Exports:
    """GET of `$export`; filters, `search`, `sort` and `fields` are as for lists."""

    def __init__(
        self, collection: Collection, read_models: ReadModels, freshness: Freshness
    ) -> None:
        self._collection = collection
        self._read_models = read_models
        self._freshness = freshness
        self._running = asyncio.Semaphore(_AT_ONCE)

    def add_to(self, routes: Routes) -> None:
        """Add the address."""
        routes.add("GET", f"{self._collection.path}/$export", self.export)

    async def export(self, request: Request) -> Response:
        """Answer with a file; a fault on the way cuts the answer off, so that nobody takes it."""
        name = self._collection.read_model
        question = Parsing(
            self._read_models.shape(name), parts=(*MATCHING, "sort", "fields"), reserved=_KNOWN
        )
        query = parsed(request.scope["query_string"], _KNOWN, question)
        headers = await self._freshness.wait(self._collection, request, query.get("min_position"))
        if self._running.locked():
            raise TooMany(f"{_AT_ONCE} exports are running here; try again when one has ended.")
        form = query.get("format", "csv")
        asked = QueryOptions(
            filters=question.filters,
            search=question.search,
            sort_by=question.sort_by,
            fields=question.fields,
            include_deleted=query.get("include_deleted", False),
        )
        rows = self._rows(asked, form)
        first = await anext(rows, b"")
        packed = "gzip" in request.headers.get("accept-encoding", "")
        pieces = _following(first, rows)
        said = {
            **(headers or {}),
            "Content-Disposition": f'attachment; filename="{self._collection.address}.{form}"',
            "Vary": "Accept-Encoding",
            **({"Content-Encoding": "gzip"} if packed else {}),
        }
        return StreamingResponse(
            _gzipped(pieces) if packed else pieces, headers=said, media_type=_TYPES[form]
        )

    async def _rows(self, asked: QueryOptions, form: str) -> AsyncGenerator[bytes]:
        async with self._running:
            poured = self._read_models.export(
                self._collection.read_model, asked, "csv" if form == "csv" else "ndjson"
            )
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
