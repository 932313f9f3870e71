"""Keys that an object of JSON says twice, of which decoders keep one without a word."""

import json
from typing import Any


class _Doubled(Exception):
    """Found one."""


def doubled(text: str | bytes) -> str | None:
    """Return a key that an object in *text*, which is JSON, says more than once."""
    try:
        _decode(text if isinstance(text, str) else text.decode())
    except _Doubled as found:
        return str(found)
    return None


def _unique(pairs: list[tuple[str, Any]]) -> None:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise _Doubled(next(name for name in names if names.count(name) > 1))


def _nothing(_text: str) -> None:
    """Numbers are of no matter here."""


_decode = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_nothing, parse_float=_nothing
).decode
