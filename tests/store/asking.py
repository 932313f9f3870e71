"""Raw requests to the store, as handling would make them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg

from treering import ulid
from treering.message import Change, OutcomeWord, Verdict
from treering.rulebook import Reference
from treering.store import Appended, Entry, Hindered, Key, Origin, Request, Ruling, Stand, Store
from treering.store.connecting import quoted, schema_of
from treering.testing.fixtures import Database

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def asking(
    stream: str,
    expected: int = 0,
    *,
    count: int = 1,
    command: str | None = None,
    body: str = '{"rows":1}',
    taken: Sequence[str] = (),
    released: Sequence[str] = (),
    made: Sequence[str] = (),
    dropped: Sequence[str] = (),
    outcome: OutcomeWord = "accepted",
) -> Request:
    """Ask for *count* events of *stream*, which stands at *expected*; move keys and references."""
    command = command or ulid.new()
    origin = Origin(command=command, time=NOW, tenant="default", actor="test", correlation=command)
    becomes = expected + count
    verdict = Verdict(
        id=command, fingerprint=b"said", outcome=outcome, stream=stream, version=becomes
    )
    return Request(
        stands=[Stand(stream, expected, becomes)],
        entries=[
            Entry(stream, expected + place, "dataset.updated.v1", body, origin)
            for place in range(1, count + 1)
        ],
        rulings=[Ruling(verdict, *((1, count) if count else (None, None)))],
        taken=[Key(key, stream) for key in taken],
        released=[Key(key, stream) for key in released],
        made=[Reference(parent, stream, "of") for parent in made],
        dropped=[Reference(parent, stream, "of") for parent in dropped],
    )


def together(*requests: Request) -> Request:
    """Join *requests* into one of several streams, with the first one's verdict."""
    entries = [entry for request in requests for entry in request.entries]
    stands = [stand for request in requests for stand in request.stands]
    first = requests[0].rulings[0].verdict
    verdict = Verdict(
        id=first.id,
        fingerprint=first.fingerprint,
        outcome=first.outcome,
        stream=first.stream,
        version=first.version,
        changes=[Change(stream=stand.stream, version=stand.becomes) for stand in stands],
    )
    return Request(
        stands=stands,
        entries=entries,
        rulings=[Ruling(verdict, 1, len(entries))],
        released=[key for request in requests for key in request.released],
        taken=[key for request in requests for key in request.taken],
        dropped=[each for request in requests for each in request.dropped],
        made=[each for request in requests for each in request.made],
    )


async def appended(store: Store, request: Request) -> Appended:
    """Append *request* and see that nothing stood in its way."""
    answer = await store.append(request)
    assert isinstance(answer, Appended), answer
    return answer


async def hindered(store: Store, request: Request) -> list[tuple[str, str, str | None, int]]:
    """Append *request* and return what stood in its way."""
    answer = await store.append(request)
    assert isinstance(answer, Hindered), answer
    return [(each.word, each.name, each.holder, each.version) for each in answer.troubles]


async def as_owner(database: Database, sql: str, *values: Any) -> Any:
    """Run *sql* in the store's schema as the superuser; return the first value of its answer."""
    connection = await owner_of(database)
    try:
        return await connection.fetchval(sql, *values)
    finally:
        await connection.close()


async def owner_of(database: Database) -> asyncpg.Connection:
    """Return a connection of the superuser that sees the store's schema."""
    schema = quoted(schema_of(database.namespace))
    return await asyncpg.connect(database.owner, server_settings={"search_path": schema})


async def soon(condition: Callable[[], Awaitable[object]], seconds: float = 10) -> None:
    """Wait until *condition* holds, at most *seconds*."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.01)
