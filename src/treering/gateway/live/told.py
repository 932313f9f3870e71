"""An event as it is told: what can be asked of it, and its JSON, each made once for all."""

from collections.abc import Collection, Mapping
from datetime import UTC
from functools import cached_property
from typing import Any

import msgspec

from treering.entity.validation import stamp
from treering.message import Stored, kind_of
from treering.query import Row, Shape, Word

WORDS: Mapping[str, Word] = {
    "id": "text",
    "type": "text",
    "kind": "text",
    "subject": "text",
    "version": "integer",
    "position": "integer",
    "time": "moment",
    "recorded_at": "moment",
    "actor": "text",
    "command": "text",
    "correlation": "text",
    "data": "json",
}
"""The fields of an event; `data` is what its type says."""
SHAPE = Shape(words=WORDS, filterable=[*WORDS], sortable=[])
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_LINES = str.maketrans("\r\n", "  ")
"""Between the parts of a JSON text, where alone they can be, they mean nothing."""


class Told:
    """One event of the store's *epoch*."""

    def __init__(self, stored: Stored, epoch: str) -> None:
        self.stored = stored
        self.position = stored.position
        self._epoch = epoch

    @cached_property
    def row(self) -> Row:
        """What conditions ask; of an erased event there is no data."""
        stored = self.stored
        return {
            **{name: getattr(stored, name) for name in _SAME},
            "kind": kind_of(stored.stream),
            "subject": stored.stream,
            "command": stored.causation,
            "data": _decode(stored.body) if stored.body else None,
        }

    @cached_property
    def json(self) -> bytes:
        """The event as clients see it, on one line, with its data as it stands."""
        stored = self.stored
        shown: dict[str, Any] = {
            "position": stored.position,
            "id": stored.id,
            "type": stored.type,
            "kind": kind_of(stored.stream),
            "subject": stored.stream,
            "version": stored.version,
            "time": stamp(stored.time.astimezone(UTC)),
            "recorded_at": stamp(stored.recorded_at.astimezone(UTC)),
            "actor": stored.actor,
            "command": stored.causation,
            "correlation": stored.correlation,
        }
        if not stored.body:
            return _encode({**shown, "data": None, "is_erased": True})
        body = stored.body.translate(_LINES)
        return _encode({**shown, "data": msgspec.Raw(body.encode())})

    @cached_property
    def sent(self) -> bytes:
        """The event as a stream of events has it."""
        return b"id: %s:%d\ndata: %s\n\n" % (self._epoch.encode(), self.position, self.json)

    def erased(self) -> "Told":
        """Return it without its data, which is not to be seen any more."""
        return Told(msgspec.structs.replace(self.stored, body=""), self._epoch)


_SAME: Collection[str] = (
    "id", "type", "version", "position", "time", "recorded_at", "actor", "correlation",
)  # fmt: skip
