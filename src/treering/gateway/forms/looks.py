"""How the answer to one request looks: from the JSON that it is to what the client asked for."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

from starlette.responses import Response
from starlette.types import Scope

from treering.gateway.forms.accepting import FORMS
from treering.gateway.forms.manner import PROBLEM, Manner, manner
from treering.gateway.forms.packing import SUFFIXES, packed
from treering.gateway.forms.tables import csv_of
from treering.gateway.forms.tags import as_said, formed, tags_in, unformed
from treering.gateway.http.msgpack import msgpack_of
from treering.gateway.http.problem import NotAcceptable, answer

VARY = b"vary", b"Accept, Accept-Encoding"
"""On every answer: what it depends on."""
_FORMED = frozenset({FORMS["json"], PROBLEM, "application/schema+json"})
_PLAIN = frozenset({None, b"*/*", b"application/json"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_LARGE = 100_000
"""Bytes from which on a thread of its own does the work."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What one request asks for."""

    path: str
    """As it was asked for."""
    pattern: str
    """Its route's, such as `/api/v1/datasets/{id}`."""
    manner: Manner
    tags: Sequence[str]
    """What the client has, in its own words."""

    def check(self, method: str) -> None:
        """Raise NotAcceptable before something is done whose answer the client could not take."""
        if self.manner.choice is None and method not in _SAFE and self.pattern:
            raise self._refusal()

    async def dressed(self, response: Response, smallest: int) -> Response:
        """Return *response* as it was asked for; packed if it has *smallest* bytes or more."""
        if response.status_code == 304:
            if tag := response.headers.get("etag"):
                response.headers["ETag"] = as_said(tag, self.tags)
            return response
        if not isinstance(getattr(response, "body", None), bytes):
            return response
        if not self.manner.is_plain:
            response = await self._formed(response)
        if len(response.body) >= smallest and "content-encoding" not in response.headers:
            await self._pack(response)
        return response

    async def _formed(self, response: Response) -> Response:
        kind = response.headers.get("content-type", "")
        if kind not in _FORMED:
            return response
        choice = self.manner.problem if kind == PROBLEM else self.manner.choice
        if choice is None:
            return answer(self._refusal().problem(), self.path)
        body = bytes(response.body)
        if choice.form == "msgpack":
            _fill(response, await _done(msgpack_of, body), ".msgpack", choice.media_type)
        elif choice.form == "csv" and response.status_code == 200:
            table = await _done(partial(csv_of, path=self.pattern), body)
            _fill(response, table, ".csv", f"{choice.media_type}; charset=utf-8; header=present")
        elif kind == FORMS["json"]:
            response.headers["Content-Type"] = choice.media_type
        return response

    async def _pack(self, response: Response) -> None:
        coding = self.manner.coding
        if coding is None or response.status_code == 206:
            return
        body = bytes(response.body)
        small = await _done(partial(packed, coding=coding), body)
        if len(small) < len(body):
            _fill(response, small, f".{SUFFIXES[coding]}")
            response.headers["Content-Encoding"] = coding

    def _refusal(self) -> NotAcceptable:
        available = self.manner.available
        return NotAcceptable(
            f"{self.path} is to be had as {', '.join(available)}; Accept names none of them.",
            available=available,
        )


def looks_of(scope: Scope, pattern: str, tables: Collection[str]) -> Looks | None:
    """Return how the answer to a request shall look; None for JSON as it is.

    The tags that the request says it has are those of the JSON then.
    """
    accept = packing = None
    for name, value in scope["headers"]:
        if name == b"accept":
            accept = value
        elif name == b"accept-encoding":
            packing = value
    if packing is None and accept in _PLAIN:
        return None
    is_table = pattern in tables and scope["method"] in _SAFE
    wanted = manner(accept, packing, is_table=is_table)
    if tags := tags_in(scope["headers"]):
        scope["headers"] = unformed(scope["headers"], tags, wanted.suffix)
    return Looks(scope["path"], pattern, wanted, tags)


def _fill(response: Response, body: bytes, suffix: str, kind: str | None = None) -> None:
    response.body = body
    response.headers["Content-Length"] = str(len(body))
    if kind is not None:
        response.headers["Content-Type"] = kind
    if tag := response.headers.get("etag"):
        response.headers["ETag"] = formed(tag, suffix)


async def _done(work: Callable[[bytes], bytes], body: bytes) -> bytes:
    return work(body) if len(body) < _LARGE else await asyncio.to_thread(work, body)
