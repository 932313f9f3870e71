"""Bodies of requests: JSON in UTF-8 or MessagePack, of a bounded size."""

import re
from typing import Any, cast

import msgspec
from starlette.requests import Request

from treering.entity.validation import fault, invalid
from treering.gateway.http.msgpack import Unsayable, json_of
from treering.gateway.http.problem import TooLarge, Unreadable, UnsupportedType
from treering.query import doubled

LARGEST_BODY = 900_000
"""Bytes of a body; a command has to fit into a record of Kafka."""

_MSGPACK = re.compile(r"application/(msgpack|x-msgpack|vnd\.msgpack|[\w.-]+\+msgpack)")
_decode = msgspec.json.Decoder().decode


async def json_object(request: Request) -> tuple[bytes, dict[str, Any]]:
    """Return the body as JSON and as it reads; raises a refusal unless it is an object."""
    raw = await _read(request, LARGEST_BODY)
    found = _decoded(raw)
    if not isinstance(found, dict):
        raise invalid([fault((), "object_type", "Is no JSON object")])
    return raw, cast("dict[str, Any]", found)


async def json_object_or_none(request: Request) -> bytes:
    """Return the body as it stands, an empty object if there is none; else as `json_object`."""
    headers = request.headers
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return b"{}"
    return (await json_object(request))[0]


async def json_value(request: Request, largest: int) -> object:
    """Return what the body says, which may have *largest* bytes; raises a refusal if it is none."""
    return _decoded(await _read(request, largest))


def _decoded(raw: bytes) -> object:
    try:
        found = _decode(raw)
        if (name := doubled(raw)) is not None:
            raise Unreadable(f"An object in the body says {name[:100]!r} more than once.")
    except UnicodeDecodeError as error:
        raise Unreadable(f"The body is no UTF-8: byte {error.start} of a text.") from None
    except RecursionError:
        raise Unreadable("The body is nested too deeply.") from None
    except msgspec.DecodeError as error:
        if not raw.strip():
            raise Unreadable("The body is empty; send a JSON object, such as {}.") from None
        raise Unreadable(f"The body is no JSON: {error}.") from None
    return found


async def _read(request: Request, largest: int) -> bytes:
    is_msgpack = _is_msgpack(request.headers.get("content-type"))
    said = request.headers.get("content-length", "0")
    if said.isdigit() and int(said) > largest:
        raise _too_large(largest)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > largest:
            raise _too_large(largest)
        chunks.append(chunk)
    raw = b"".join(chunks)
    return _json(raw, largest) if is_msgpack else raw


def _json(raw: bytes, largest: int) -> bytes:
    try:
        found = json_of(raw)
    except Unsayable as error:
        raise Unreadable(f"The body {error}.") from None
    if len(found) > largest:
        raise _too_large(largest)
    return found


def _is_msgpack(said: str | None) -> bool:
    """Tell whether it is MessagePack; raises UnsupportedType if it is no JSON either."""
    if said == "application/json":
        return False
    if said is None:
        raise UnsupportedType("The body has no Content-Type; say application/json.")
    kind, _, parameters = said.lower().partition(";")
    kind = kind.strip()
    if _MSGPACK.fullmatch(kind):
        return True
    json = kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )
    charset = parameters.partition("charset=")[2].strip(' "')
    if not json or charset not in ("", "utf-8", "utf8", "us-ascii"):
        raise UnsupportedType(
            f"{said[:200]!r} is not taken; send application/json in UTF-8, or application/msgpack."
        )
    return False


def _too_large(largest: int) -> TooLarge:
    return TooLarge(f"The body is larger than {largest} bytes, the most that is taken here.")
