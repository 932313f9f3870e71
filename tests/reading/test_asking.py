"""Any question, in any spelling, is answered as the plain reference answers it."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.projection.conftest import Folding
from tests.projection.world import THINGS, append
from tests.reading import reference
from tests.reading.questions import Question, questions
from treering.entity import Created
from treering.gateway.http.query import parsed
from treering.query import Cursor, Parsing, QueryOptions
from treering.reading import Listing, ReadModels
from treering.store import Reader, Store

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
    return QueryOptions(filters=parsing.filters, search=parsing.search, sort_by=parsing.sort_by)


@pytest.fixture
async def models(store: Store, reader: Reader, folding: Folding) -> AsyncGenerator[ReadModels]:
    """Have the read model of all things."""
    last = 0
    for number, fields in enumerate(things()):
        last = await append(store, f"thing/{number:03}", Created(fields={"tags": [], **fields}))
    opened = ReadModels(reader, [THINGS])
    async with folding([THINGS]):
        assert await opened.wait("things", last, 20)
    yield opened
    await opened.close()


def rows() -> list[reference.Row]:
    """Return the same things as the reference takes them."""
    read = {"day": date.fromisoformat, "at": datetime.fromisoformat}
    return [
        {"id": f"{number:03}"}
        | {
            name: read[name](value) if name in read and value is not None else value
            for name, value in fields.items()
        }
        for number, fields in enumerate(things())
    ]


ROWS = rows()


def ids(listing: Listing) -> list[str]:
    return [row["id"] for row in json.loads(listing.items)]


@settings(max_examples=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=questions())
async def test_any_question_has_the_rows_of_the_reference_in_its_order(
    models: ReadModels, question: Question
) -> None:
    listing = await models.list("things", asked_as(question))
    found = ids(listing)
    expected = reference.found(ROWS, question.filters, question.sort_by, question.search)
    if question.search and not question.sort_by:
        assert sorted(found) == expected
    else:
        assert found == expected
    assert listing.total == len(found)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=questions(), size=st.integers(7, 90))
async def test_cursors_lead_through_all_rows_and_back(
    models: ReadModels, question: Question, size: int
) -> None:
    asked = replace(asked_as(question), limit=size, count="none")
    expected = ids(await models.list("things", replace(asked, limit=None)))
    forth: list[str] = []
    cursor: Cursor | None = Cursor()
    listing = Listing(items="[]", total=None)
    while cursor is not None:
        listing = await models.list("things", replace(asked, cursor=cursor))
        forth += ids(listing)
        cursor = listing.next
    assert forth == expected
    back = ids(listing)
    while (cursor := listing.previous) is not None:
        listing = await models.list("things", replace(asked, cursor=cursor))
        back = ids(listing) + back
    assert back == expected
