"""Several requests in one: each is asked as if it had come alone, in order."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast
from urllib.parse import unquote

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Scope

from treering.entity.validation import MOST_FAULTS, fault, invalid
from treering.gateway.http.body import json_value
from treering.gateway.http.idempotency import HEADER, key_of
from treering.gateway.http.query import parsed
from treering.gateway.http.routes import Routes

ADDRESS = "/api/v1/$batch"
MOST = 1000
"""Requests in one."""
_LARGEST = 16_000_000
"""Bytes of its body, and of each answer in it."""
_ENDLESS = ("/$export", "/v1/events", "/v1/live", "/$batch")
_OWN = frozenset({
    b"accept", b"accept-encoding", b"connection", b"content-encoding", b"content-length",
    b"content-type", b"expect", b"idempotency-key", b"if-match", b"if-none-match", b"prefer",
    b"transfer-encoding", b"x-request-id",
})  # fmt: skip
"""Headers of the batch that say nothing of what is in it."""
_WHOLE = frozenset({b"accept-encoding", b"content-length", b"host", b"origin"})
"""Headers that a request in it can not have."""
_TOLD = frozenset({
    "content-type", "etag", "location", "preference-applied", "retry-after", "treering-position",
    "treering-read-model", "x-request-id",
})  # fmt: skip
_encode = msgspec.json.Encoder().encode


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the requests."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    """With its parameters behind a `?`."""
    headers: dict[str, str] = {}
    body: Any = msgspec.UNSET


class _TooMuch(Exception):
    """The answer is larger than one in a batch may be, or never ends."""


class _Answer:
    """What came of one request."""

    def __init__(self) -> None:
        self.status = 500
        self._headers: Mapping[str, str] = {}
        self._body = b""

    async def take(self, message: Message) -> None:
        """Take what is sent."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            said = ((name.decode("latin-1"), value) for name, value in message["headers"])
            self._headers = {name: value.decode("latin-1") for name, value in said if name in _TOLD}
            if self._headers.get("content-type", "").startswith("text/event-stream"):
                raise _TooMuch
        else:
            self._body += message.get("body", b"")
            if len(self._body) > _LARGEST:
                raise _TooMuch

    def told(self) -> Mapping[str, object]:
        """Return it as it stands in the answer of the batch."""
        headers = {name: value for name, value in self._headers.items() if name != "content-type"}
        found = {"status": self.status, "headers": headers}
        if "json" in self._headers.get("content-type", "") and self._body:
            return {**found, "body": msgspec.Raw(self._body)}
        try:
            return {**found, "body": self._body.decode() or None}
        except UnicodeDecodeError:
            return {**found, "base64": b64encode(self._body).decode()}


class Batch:
    """`/api/v1/$batch`; *app* answers what is in it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def add_to(self, routes: Routes) -> None:
        """Add its address."""
        routes.add("POST", ADDRESS, self.post)

    async def post(self, request: Request) -> Response:
        """Ask each in order, whatever became of those before, and tell what came of each."""
        parsed(request.scope["query_string"], {})
        key = key_of(request)
        items = _items(await json_value(request, _LARGEST))
        told = [
            await self._asked(request, each, key and _key(key, place))
            for place, each in enumerate(items)
        ]
        return Response(_encode(told), media_type="application/json")

    async def _asked(self, request: Request, item: Item, key: str | None) -> object:
        said = b"" if item.body is msgspec.UNSET else _encode(item.body)
        messages: list[Message] = [{"type": "http.request", "body": said, "more_body": False}]

        async def receive() -> Message:
            return messages.pop() if messages else {"type": "http.disconnect"}

        answer = _Answer()
        try:
            await self._app(_scope(request, item, said, key), receive, answer.take)
        except _TooMuch:
            return {"status": 413, "headers": {}, "body": None}
        return answer.told()


def _scope(request: Request, item: Item, said: bytes, key: str | None) -> Scope:
    path, _, query = item.path.partition("?")
    own = {name.lower().encode(): value.encode() for name, value in item.headers.items()}
    if said:
        own = {b"content-type": b"application/json", **own}
    if key is not None:
        own = {HEADER.lower().encode(): key.encode(), **own}
    outer = request.scope
    passed = [each for each in outer["headers"] if each[0] not in _OWN and each[0] not in own]
    return {
        **{name: outer[name] for name in ("type", "asgi", "http_version", "scheme", "client")},
        "server": outer["server"],
        "root_path": "",
        "method": item.method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [*passed, *own.items(), (b"content-length", str(len(said)).encode())],
    }


def _items(said: object) -> Sequence[Item]:
    """Return what is asked; raises InvalidBody with every fault."""
    if not isinstance(said, list):
        raise invalid([fault((), "list_type", "Is no list of requests")])
    parts = cast("list[object]", said)
    if len(parts) > MOST:
        word = f"A batch has at most {MOST} requests, not {len(parts)}; send several"
        raise invalid([fault((), "too_long", word)])
    faults: list[Mapping[str, Any]] = []
    items: list[Item] = []
    for place, part in enumerate(parts):
        try:
            items.append(msgspec.convert(part, Item))
        except msgspec.ValidationError as error:
            faults.append(fault((place,), "wrong_request", str(error)))
            continue
        faults += _faults(place, items[-1])
    if faults:
        raise invalid(faults[:MOST_FAULTS], of=len(faults))
    return items


def _faults(place: int, item: Item) -> Sequence[Mapping[str, Any]]:
    faults: list[Mapping[str, Any]] = []
    path = unquote(item.path.partition("?")[0])
    if not path.startswith("/api/v1/") or not item.path.isascii():
        faults.append(fault((place, "path"), "wrong_path", "Begins with /api/v1/", item.path))
    elif path.endswith(_ENDLESS):
        word = "Ask it alone: it has an answer that is no part of another"
        faults.append(fault((place, "path"), "wrong_path", word, item.path))
    for name, value in item.headers.items():
        if not (name + value).isascii() or not (name + value).isprintable():
            word = "Headers are printable ASCII"
            faults.append(fault((place, "headers", name), "wrong_header", word, value))
        elif name.lower().encode() in _WHOLE:
            word = "Is said for the whole batch"
            faults.append(fault((place, "headers", name), "wrong_header", word))
    return faults


def _key(key: str, place: int) -> str:
    """Return the key of one request in a batch that has a *key*."""
    return hashlib.blake2b(f"{key}\0{place}".encode(), digest_size=16).hexdigest()
