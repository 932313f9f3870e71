"""Requests as handling would make them, with every guarantee on."""

from datetime import UTC, datetime

import msgspec

from treering import ulid
from treering.message import Verdict
from treering.store import Entry, Key, Origin, Request, Ruling, Stand

BODY = msgspec.json.encode(
    {
        "name": "Rainfall in the northern provinces, by month and station",
        "rows": 184_223,
        "source": "s3://observations/rain/2026/11/northern.parquet",
        "columns": ["station", "month", "millimetres"],
        "tags": ["climate", "monthly"],
    }
).decode()
"""The bytes of every event, on both sides."""


def asking(stream: str, expected: int, count: int = 1) -> Request:
    """Ask for *count* events after version *expected*; a new stream takes a unique key too."""
    command = ulid.new()
    origin = Origin(
        command=command,
        time=datetime.now(UTC),
        tenant="default",
        actor="benchmark",
        correlation=command,
    )
    verdict = Verdict(
        id=command,
        fingerprint=b"0123456789abcdef",
        outcome="accepted",
        stream=stream,
        version=expected + count,
    )
    return Request(
        stands=[Stand(stream, expected, expected + count)],
        entries=[
            Entry(stream, expected + place, "dataset.updated.v1", BODY, origin)
            for place in range(1, count + 1)
        ],
        rulings=[Ruling(verdict, 1, count)],
        taken=[] if expected else [Key(f'dataset.name="{stream}"', stream)],
    )
