"""Which rows a commit has changed, as it is told to those who keep answers.

It goes over a channel of its own: an older release hears only where builds are.
"""

from collections.abc import Collection, Iterable

import msgspec

from treering.message import Position
from treering.projection.change import Key

_LONGEST = 7900
_MOST = 500
"""Rows that are told of one by one."""


class Changed(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What became of one build's first table between two positions."""

    name: str
    build: int
    before: Position
    position: Position
    keys: tuple[str, ...] | None
    """Of the rows that differ; None: any may."""


_decode = msgspec.json.Decoder(list[Changed]).decode


def channel_of(schema: str) -> str:
    """Return the channel that is told of rows in that schema."""
    return f"{schema}/rows"


def keys_of(rows: Collection[Key]) -> tuple[str, ...] | None:
    """Return the keys of *rows* as texts, None if they are many or of several columns or types."""
    if len(rows) > _MOST:
        return None
    keys = [key[0] for key in rows if len(key) == 1 and isinstance(key[0], str)]
    return tuple(keys) if len(keys) == len(rows) else None


def told(changes: Iterable[Changed]) -> str:
    """Return *changes* as they are told, with no keys where they would be too long."""
    every = [*changes]
    text = msgspec.json.encode(every).decode()
    if len(text.encode()) >= _LONGEST:
        bare = [msgspec.structs.replace(each, keys=None) for each in every]
        text = msgspec.json.encode(bare).decode()
    return text if len(text) < _LONGEST else "[]"


def heard(text: str) -> list[Changed]:
    """Return the changes that *text* tells; none if it is not understood."""
    try:
        return _decode(text)
    except msgspec.MsgspecError:
        return []
