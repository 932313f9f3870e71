"""MessagePack and JSON say the same: from one to the other and back."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, cast

import msgspec

_LARGEST = 2**64
_DEEPEST = 500
_from_json = msgspec.json.Decoder().decode
_to_json = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


class Unsayable(ValueError):
    """It cannot be said in JSON."""


def msgpack_of(body: bytes) -> bytes:
    """Return JSON as MessagePack; a whole number too large for it is a text."""
    said = _from_json(body)
    try:
        return _pack(said)
    except OverflowError:
        return _pack(_bounded(said))


def json_of(body: bytes) -> bytes:
    """Return MessagePack as JSON.

    Raises Unsayable with what is wrong: it is none, or says something that JSON cannot say.
    """
    try:
        found = _unpack(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unsayable(f"is no MessagePack: {error}") from None
    _check(found, 0)
    return _to_json(found)


def _check(value: Any, deep: int) -> None:
    """Raise Unsayable unless JSON can say *value*."""
    if deep > _DEEPEST:
        raise Unsayable("is nested too deeply")
    if isinstance(value, dict):
        for name, each in cast("Mapping[Any, Any]", value).items():
            if not isinstance(name, str):
                raise Unsayable(f"has the key {name!r:.100}, and keys are texts")
            _check(each, deep + 1)
    elif isinstance(value, list):
        for each in cast("list[Any]", value):
            _check(each, deep + 1)
    elif isinstance(value, bytes | msgspec.msgpack.Ext):
        raise Unsayable("has binary data, which JSON cannot say; send it as a text, in base64")
    elif isinstance(value, float) and not isfinite(value):
        raise Unsayable(f"has the number {value}, which JSON cannot say")


def _bounded(value: Any) -> Any:
    if isinstance(value, dict):
        said = cast("Mapping[str, Any]", value)
        return {name: _bounded(each) for name, each in said.items()}
    if isinstance(value, list):
        return [_bounded(each) for each in cast("list[Any]", value)]
    if isinstance(value, int) and not -_LARGEST // 2 <= value < _LARGEST:
        return str(value)
    return value
