"""A small world for the tests: parcels, which are entities, and what is counted of them."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import asyncpg
import msgspec
from pydantic import Field
from sqlalchemy import JSON, BigInteger, Column, Double, Index, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from treering import ulid
from treering.domain.projection import Skipped, stream_of
from treering.domain.projection import projection as skipping
from treering.entity import Created, Entity, Purged
from treering.message import Event, Position, Recorded, Stream, Verdict
from treering.projection import Change, Projection, increment, projection
from treering.reading import Found, ReadModels
from treering.registry import Registry
from treering.store import Appended, Entry, Origin, Request, Ruling, Stand, Store
from treering.testing.fixtures import Database

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Parcel(Entity):
    """What most tests send around."""

    name: str
    weight: float | None = None
    pieces: int = 1
    sent: datetime | None = None
    due: str | None = None
    contents: dict[str, Any] = Field(default_factory=dict)
    is_open: bool = False


class Thing(Entity, searchable={"name", "data"}):
    """Has a field of every kind that can be asked for, each of which may be empty."""

    name: str | None = None
    rows: int | None = None
    share: float | None = None
    is_open: bool | None = None
    day: date | None = None
    at: datetime | None = None
    data: Any = None


REGISTRY = Registry([Parcel.decider(), Thing.decider(), skipping])
PARCELS = Projection.of(Parcel)
THINGS = Projection.of(Thing)

counts = Table(
    "counts",
    MetaData(),
    Column("name", Text, primary_key=True),
    Column("parcels", BigInteger),
    Column("pieces", BigInteger),
)

odds = Table(
    "odds",
    MetaData(),
    Column("part", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("amount", BigInteger),
    Column("total", Double),
    Column("text", Text),
    Column("items", JSONB),
    Column("note", JSON),
    Index("odds_amount", "amount"),
)


def count(recorded: Recorded[Any]) -> Iterable[Change]:
    """Count parcels by name; a parcel called "bad" can not be counted."""
    match recorded.event:
        case Created(fields={"name": "bad"}):
            raise ValueError("a bad parcel")
        case Created(fields={"name": str(name), "pieces": int(pieces)}):
            yield increment(counts, name, {"parcels": 1, "pieces": pieces})
        case _:
            return


COUNTS = projection("counts", tables=[counts], kinds={"parcel"})(count)


def fields(name: str = "tea", **more: Any) -> dict[str, Any]:
    """Return the fields of a parcel as they are stored."""
    return Parcel(name=name, **more).model_dump(mode="json")


async def append(store: Store, stream: Stream, *events: Event, after: int = 0) -> Position:
    """Append *events* to *stream*, which stands at *after*; return the last position."""
    origin = Origin(
        command=ulid.new(), time=NOW, tenant="default", actor="test", correlation="test"
    )
    entries = [
        Entry(stream, version, REGISTRY.type_of(stream, event).name, _body(stream, event), origin)
        for version, event in enumerate(events, after + 1)
    ]
    last = after + len(events)
    verdict = Verdict(
        id=origin.command, fingerprint=b"said", outcome="accepted", stream=stream, version=last
    )
    answer = await store.append(
        Request(
            stands=[Stand(stream, after, last)],
            entries=entries,
            erased=[Stand(stream, last, last)] if isinstance(events[-1], Purged) else [],
            rulings=[Ruling(verdict, 1, len(entries))],
        )
    )
    assert isinstance(answer, Appended), answer
    return answer.base + len(entries)


async def create(store: Store, names: Sequence[str]) -> Position:
    """Append a parcel of each of *names*; return the last position."""
    position = 0
    for name in names:
        position = await append(store, parcel(), Created(fields=fields(name)))
    return position


async def skip(store: Store, name: str, position: Position) -> Position:
    """Have the read model called *name* pass over an event, for the first time."""
    return await append(store, stream_of(name), Skipped(position=position))


async def table(database: Database, name: str) -> list[Any]:
    """Return what the read models' schema holds under *name*."""
    connection = await asyncpg.connect(database.reader)
    try:
        schema = f"{database.namespace.replace('-', '_')}_read"
        return await connection.fetch(f'table "{schema}"."{name}"')
    finally:
        await connection.close()


def parcel() -> Stream:
    """Return the stream of a new parcel."""
    return f"parcel/{ulid.new()}"


def _body(stream: Stream, event: Event) -> str:
    return REGISTRY.type_of(stream, event).encode(event).decode()


def shown(found: Found | str | None) -> Any:
    """Return what the JSON that was *found* says."""
    text = found.text if isinstance(found, Found) else found
    return None if text is None else msgspec.json.decode(text)


async def counted(models: ReadModels) -> dict[str, int]:
    """Return how many parcels there are of each name."""
    return {row["name"]: row["parcels"] for row in shown((await models.list("counts")).items)}


async def becomes_live(models: ReadModels, name: str) -> bool:
    """See that a read model says that it is live, soon."""
    async with asyncio.timeout(10):
        while (name, "live") not in {(each.name, each.state) for each in await models.status()}:
            await asyncio.sleep(0.01)
    return True


async def catches_up(models: ReadModels, position: int) -> bool:
    """Wait for counts, which say that they are stopped until the projector has seen the skip."""
    async with asyncio.timeout(10):
        while not await models.wait("counts", position, 1):
            await asyncio.sleep(0.01)
    return True
