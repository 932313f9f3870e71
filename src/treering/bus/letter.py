"""A dead letter: the record as it came, and why it died."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from treering.bus.envelope import append_time
from treering.bus.kafka import LARGEST_LETTER, Headers, Record
from treering.errors import DeadLetter

REASONS = frozenset({
    "dead-reason", "dead-error", "dead-topic", "dead-partition", "dead-offset", "dead-time",
})  # fmt: skip
"""The headers that a dead letter has beside its own."""
_ROOM = 64_000
"""Bytes kept free beside the record."""
_LONGEST_HEADER = 1_000
_MOST_HEADERS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterRecord:
    """What is sent to the topic of dead letters."""

    key: bytes | None
    value: bytes | None
    headers: Headers


def letter_record(record: Record, error: DeadLetter) -> LetterRecord:
    """Return *record* as it came, with the reasons why it died.

    A record that had only come through because it was compressed is cut; `dead-reason` says so.
    """
    key, value, headers = record.key, record.value, list(record.headers)
    reason = error.reason
    if _size(record) > LARGEST_LETTER - _ROOM:
        reason += " It was too large to be kept whole."
        value = None
        headers = [
            (name[:_LONGEST_HEADER], (said or b"")[:_LONGEST_HEADER])
            for name, said in headers[:_MOST_HEADERS]
        ]
        key = key[:_LONGEST_HEADER] if key else key
    why = {
        "dead-reason": reason[:_LONGEST_HEADER],
        "dead-error": error.problem()["type"],
        "dead-topic": record.topic,
        "dead-partition": str(record.partition),
        "dead-offset": str(record.offset),
        "dead-time": stamp(append_time(record)),
    }
    kept = [(name, said) for name, said in headers if name not in REASONS]
    return LetterRecord(
        key=key,
        value=b"" if key is None and value is None else value,
        headers=[*kept, *((name, text.encode()) for name, text in why.items())],
    )


def stamp(moment: datetime) -> str:
    """Return *moment*, which is in UTC and has whole milliseconds, as text."""
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _size(record: Record) -> int:
    headers: Sequence[tuple[str, bytes | None]] = record.headers
    said = sum(len(name.encode()) + len(value or b"") + 8 for name, value in headers)
    return len(record.key or b"") + len(record.value or b"") + said
