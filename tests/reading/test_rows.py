"""Rules on rows: whatever is asked, only those are seen that a rule lets through."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import pytest

from tests.projection.conftest import Folding
from tests.projection.world import PARCELS, append, fields, shown
from treering.entity import Created
from treering.query import Cursor, Filter, FilterSpec, Grouping, QueryOptions
from treering.reading import ReadModels
from treering.store import Reader, Store

PERSON = ContextVar[str | None]("PERSON", default=None)
OF: Mapping[str, Sequence[str]] = {"ann": ["a", "c"], "bob": ["b"]}
ONE_EACH = QueryOptions(limit=1, cursor=Cursor())


def own(name: str) -> Sequence[Filter]:
    """Let a person see their own parcels, and nobody anything else; who is none sees all."""
    assert name == "parcels"
    person = PERSON.get()
    return [] if person is None else [FilterSpec("contents.owner", "eq", person)]


@pytest.fixture
async def ruled(store: Store, reader: Reader, folding: Folding) -> AsyncGenerator[ReadModels]:
    """Have parcels of two persons."""
    last = 0
    for person, names in OF.items():
        for name in names:
            body = fields(name, contents={"owner": person})
            last = await append(store, f"parcel/{name}", Created(fields=body))
    models = ReadModels(reader, [PARCELS], rows=own)
    async with folding([PARCELS]):
        assert await models.wait("parcels", last, 20)
    yield models
    await models.close()


async def everything(models: ReadModels) -> Sequence[Any]:
    """Return which parcels are seen, as each way of asking tells it."""
    grouping = Grouping(group_by=("name",))
    listed = await models.list("parcels")
    file = b"".join([piece async for piece in models.export("parcels", QueryOptions(), "ndjson")])
    some = QueryOptions(filters=[FilterSpec("name", "in", ["a", "b", "c"])])
    return [
        [name for name in "abc" if await models.get("parcels", name)],
        [row["name"] for row in shown(listed.items)],
        [row["name"] for row in shown((await models.list("parcels", some)).items)],
        await through(models),
        [row["group"]["name"] for row in shown(await models.groups("parcels", some, grouping))],
        sorted(
            each["value"]
            for each in shown(await models.facets("parcels", QueryOptions(), ["name"]))["name"]
        ),
        [row["name"] for row in shown(f"[{','.join(file.decode().splitlines())}]")],
        listed.total,
        await models.total("parcels"),
    ]


async def through(models: ReadModels) -> list[str]:
    """Return the names that a cursor leads to."""
    names: list[str] = []
    asked: QueryOptions | None = ONE_EACH
    while asked is not None:
        found = await models.list("parcels", asked)
        names += [row["name"] for row in shown(found.items)]
        asked = QueryOptions(limit=1, cursor=found.next) if found.next else None
    return names


async def test_a_rule_is_part_of_whatever_is_asked(ruled: ReadModels) -> None:
    for person in ("ann", "bob", None, "eve", "ann"):
        PERSON.set(person)
        names = sorted("abc") if person is None else [*OF.get(person, [])]
        assert await everything(ruled) == [*[names] * 7, len(names), len(names)]
