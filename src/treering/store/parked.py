"""Records of commands that only a newer release understands: they wait in the store."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from treering.sql import statement
from treering.store.reader import Reader

_MOST = 100
"""Records taken up at once."""


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """A record as it came, and what it says it is."""

    topic: str
    partition: int
    offset: int
    at: datetime
    """When Kafka took it."""
    command: str
    type: str
    revision: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


async def park(store: Reader, parked: Parked) -> None:
    """Keep *parked*; once is enough, however often it is said."""
    await store.fetch(
        statement("park"),
        *_place(parked),
        parked.command,
        parked.type,
        parked.revision,
        parked.key,
        parked.value,
        [name.encode() for name, _ in parked.headers],
        [said for _, said in parked.headers],
    )


async def unpark(store: Reader, parked: Parked) -> None:
    """Forget *parked*, whose command is settled."""
    await store.fetch(statement("unpark"), *_place(parked))


async def parked(store: Reader, known: Mapping[str, int]) -> list[Parked]:
    """Return the oldest records of *known* types, each up to a revision."""
    rows = await store.fetch(statement("parked"), [*known], [*known.values()], _MOST)
    return [
        Parked(
            **{name: row[name] for name in _COLUMNS},
            headers=[
                (name.decode(), said) for name, said in zip(row["names"], row["said"], strict=True)
            ],
        )
        for row in rows
    ]


async def is_parked(store: Reader, command: str) -> bool:
    """Say whether the command of that id waits for a newer handler."""
    (row,) = await store.fetch(statement("parked_command"), command)
    return row["waits"]


async def waiting(store: Reader) -> dict[tuple[str, int], int]:
    """Return how many commands wait for a newer handler, by type and revision."""
    rows = await store.fetch(statement("parked_waiting"))
    return {(row["type"], row["revision"]): row["waiting"] for row in rows}


_COLUMNS = (
    "topic", "partition", "offset", "at", "command", "type", "revision", "key", "value",
)  # fmt: skip


def _place(parked: Parked) -> tuple[str, int, int, datetime]:
    return parked.topic, parked.partition, parked.offset, parked.at
