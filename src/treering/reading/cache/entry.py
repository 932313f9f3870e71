"""One answer that is kept: the rows of a statement, and the position from which they are."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from treering.message import Position

DIGITS = 20
"""Of a position in an entry's bytes."""
_OVERHEAD = 600
"""Bytes that an entry takes besides its texts, about."""


class Row:
    """A row as a driver gives it: its values in their order, or by their names."""

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values.values())

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def keys(self) -> Sequence[str]:
        """Return the names of its values."""
        return [*self._values]


class Entry(msgspec.Struct, frozen=True):
    """Rows that held at *position*, and hold until one of them changes."""

    position: Position
    rows: list[Any]
    size: int
    """Bytes, about."""

    @classmethod
    def of(cls, position: Position, rows: list[Any]) -> "Entry":
        """Return the entry of *rows* as PostgreSQL gave them at *position* or after it."""
        return cls(position, rows, _OVERHEAD + sum(_size(value) for row in rows for value in row))

    def written(self) -> bytes:
        """Return it as bytes, which begin with the position in digits of a fixed number."""
        rows = [{name: row[name] for name in row.keys()} for row in self.rows]  # noqa: SIM118 - rows iterate values
        return b"%0*d" % (DIGITS, self.position) + msgspec.msgpack.encode(rows)

    @classmethod
    def read(cls, text: bytes) -> "Entry | None":
        """Return the entry that *text* is; None if it is none."""
        try:
            position = int(text[:DIGITS])
            rows = msgspec.msgpack.decode(text[DIGITS:], type=list[dict[str, Any]])
        except (ValueError, msgspec.MsgspecError):
            return None
        return cls(position, [Row(each) for each in rows], _OVERHEAD + len(text))


def _size(value: object) -> int:
    """Return the bytes that a value takes, about; characters beyond Latin take more."""
    if isinstance(value, str):
        return len(value) if value.isascii() else 4 * len(value)
    return sum(map(_size, value)) if isinstance(value, list) else 0  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
