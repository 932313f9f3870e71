"""Any question, in any spelling, is answered as the plain reference answers it."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import given, settings

from tests.projection import reference
from tests.projection.questions import Question, questions
from tests.projection.world import REGISTRY, THINGS, append
from treering.entity import Created
from treering.gateway.query import parsed
from treering.projection import Projector, ProjectorOptions, ReadModels
from treering.query import Parsing, QueryOptions
from treering.store import Reader, Store
from treering.testing.fixtures import Database

_VALUES: Mapping[str, Sequence[Any]] = {
    "name": [None, "", "a", "A", "é", "É", "aB", "b%", "_", "\\", "ж a", "'\"", "%é_"],
    "rows": [None, *range(-3, 4)],
    "share": [None, *(number / 2 for number in range(-3, 4))],
    "is_open": [None, True, False],
    "day": [None, *(f"2026-01-0{number}" for number in range(1, 5))],
    "at": [None, *(f"2026-01-01T12:0{number}:00Z" for number in range(4))],
    "data": [
        None, 1, 1.0, 2.5, True, "a", "É", [], {}, [1, "a"], [[1]], {"x": 1}, {"x": {"y": "b%"}},
        {"x": None}, {"x": [1, 2]}, {"1": "a", "x": "1"}, {"x": {"y": -1.5}}, "1", [None],
        {"x": {}},
    ],
}  # fmt: skip


def things() -> list[dict[str, Any]]:
    """Return the fields of a few hundred things: each value beside many others."""
    return [
        {name: of[(number * 7 + number // len(of)) % len(of)] for name, of in _VALUES.items()}
        for number in range(200)
    ]


def asked_as(question: Question) -> QueryOptions:
    """Return what the gateway understands of the question's address."""
    address = urlencode(question.parameters, quote_via=quote).encode()
    parsing = Parsing(THINGS.shape)
    parsed(address, {}, parsing)
    return QueryOptions(filters=parsing.filters, sort_by=parsing.sort_by)


@asynccontextmanager
async def reading(database: Database, rows: Sequence[dict[str, Any]]) -> AsyncGenerator[ReadModels]:
    """Have the read model of *rows*."""
    name = database.namespace
    async with (
        await Store.open(database.writer, namespace=name) as store,
        await Reader.open(database.reader, namespace=name) as reader,
    ):
        last = 0
        for number, fields in enumerate(rows):
            last = await append(store, f"thing/{number:03}", Created(fields={"tags": [], **fields}))
        stop = asyncio.Event()
        projector = Projector(store, REGISTRY, [THINGS], options=ProjectorOptions(), namespace=name)
        running = asyncio.create_task(projector.run(stop))
        models = ReadModels(reader, [THINGS])
        assert await models.wait("things", last, 20)
        yield models
        await models.close()
        stop.set()
        await running


def test_any_question_has_the_rows_of_the_reference_in_its_order(database: Database) -> None:
    said = things()
    read = {"day": date.fromisoformat, "at": datetime.fromisoformat}
    rows = [
        {"id": f"{number:03}"}
        | {
            name: read[name](value) if name in read and value is not None else value
            for name, value in fields.items()
        }
        for number, fields in enumerate(said)
    ]

    with asyncio.Runner() as runner:
        held = reading(database, said)
        models = runner.run(held.__aenter__())

        @settings(max_examples=2000)
        @given(questions())
        def check(question: Question) -> None:
            listing = runner.run(models.list("things", asked_as(question)))
            found = [row["id"] for row in json.loads(listing.items)]
            assert found == reference.found(rows, question.filters, question.sort_by)
            assert listing.total == len(found)

        check()
        runner.run(held.__aexit__(None, None, None))
