"""Rows as a spreadsheet: what programs read in it, and how little it takes to write."""

import asyncio
import io
import tracemalloc
from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from typing import Any, cast
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import httpx2
import openpyxl
import pytest
import pytest_asyncio

from tests.gateway.running import problem
from treering.gateway import sheets
from treering.gateway.sheets.cells import LONGEST, cell_of, text
from treering.gateway.sheets.records import whole_ones
from treering.query import Word

pytestmark = pytest.mark.asyncio(loop_scope="module")
DATASETS = "/api/v1/datasets"
SAID: list[dict[str, Any]] = [
    {"id": "1", "name": '=SUM(1,2) "quoted", <name>\nof two lines', "rows": 1, "tags": ["x"]},
    {"id": "2", "name": "ж", "rows": -2, "notes": "", "data": {"deep": [1]}},
    {"id": "3", "name": "third", "rows": 3},
]


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def made(http: httpx2.AsyncClient) -> None:
    for each in SAID:
        assert (await http.post(DATASETS, json=each)).status_code == 201


def read(content: bytes) -> tuple[str, list[dict[str, Any]]]:
    """Return what openpyxl reads: the sheet's name, and its rows."""
    book: Any = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book.active
    head, *rows = ([cell.value for cell in row] for row in sheet.iter_rows())
    return cast("str", sheet.title), [dict(zip(head, row, strict=True)) for row in rows]


async def test_a_sheet_holds_all_rows_with_their_types(http: httpx2.AsyncClient) -> None:
    response = await http.get(f"{DATASETS}/$export?format=xlsx")
    assert response.headers["content-type"] == sheets.MEDIA_TYPE
    assert response.headers["content-disposition"] == 'attachment; filename="datasets.xlsx"'
    assert "content-encoding" not in response.headers
    name, rows = read(response.content)
    listed = (await http.get(DATASETS)).json()
    assert name == "datasets"
    assert [each["name"] for each in rows] == [each["name"] for each in SAID]
    assert [each["rows"] for each in rows] == [1, -2, 3]
    assert rows[1]["data"] == '{"deep":[1]}'
    assert (rows[0]["tags"], rows[2]["notes"]) == ('["x"]', None)
    at = datetime.fromisoformat(listed[0]["created_at"])
    assert abs(rows[0]["created_at"].replace(tzinfo=UTC) - at).total_seconds() < 0.001


async def test_no_cell_is_a_formula(http: httpx2.AsyncClient) -> None:
    response = await http.get(f"{DATASETS}/$export?format=xlsx")
    with ZipFile(io.BytesIO(response.content)) as file:
        assert file.testzip() is None
        sheet = file.read("xl/worksheets/sheet1.xml")
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    cells = [*ET.fromstring(sheet).iter(f"{space}c")]  # noqa: S314 - our own
    assert cells
    assert not [each for each in cells if each.find(f"{space}f") is not None]


async def test_what_is_asked_for_is_on_the_sheet(http: httpx2.AsyncClient) -> None:
    query = "format=xlsx&rows[gte]=1&sort=-rows&fields=id,rows"
    response = await http.get(f"{DATASETS}/$export?{query}")
    assert read(response.content)[1] == [{"id": "3", "rows": 3}, {"id": "1", "rows": 1}]
    empty = await http.get(f"{DATASETS}/$export?format=xlsx&name=none&fields=id")
    assert read(empty.content)[1] == []


async def test_more_rows_than_a_sheet_holds_are_refused(
    http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "MOST", 2)
    response = await http.get(f"{DATASETS}/$export?format=xlsx")
    assert response.status_code == 413
    assert "3 rows match, and a sheet holds 2" in problem(response)["detail"]
    fits = await http.get(f"{DATASETS}/$export?format=xlsx&rows[gt]=0")
    assert fits.status_code == 200


async def _made(rows: int) -> AsyncGenerator[bytes]:
    yield b"id,name\n"
    for start in range(0, rows, 100):
        yield b"".join(b'%d,"a ""name"",\nof %d"\n' % (at, at) for at in range(start, start + 100))


WORDS: Mapping[str, Word] = {"id": "integer", "name": "text"}


async def test_memory_does_not_grow_with_the_rows() -> None:
    async def most(rows: int) -> int:
        tracemalloc.start()
        async for _ in sheets.workbook("a", WORDS, _made(rows)):
            pass
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    await most(100)
    assert await most(24_000) < 1.3 * await most(8_000)


async def test_who_stops_reading_leaves_nothing_open() -> None:
    pieces = sheets.workbook("a", WORDS, _made(50_000))
    assert await anext(pieces)
    await pieces.aclose()


async def test_pieces_end_where_records_do() -> None:
    async def torn() -> AsyncGenerator[bytes]:
        whole = b"".join([each async for each in _made(4_000)])
        for at in range(0, len(whole), 777):
            yield whole[at : at + 777]

    book = b"".join([each async for each in sheets.workbook("a", WORDS, torn())])
    rows = (await asyncio.to_thread(read, book))[1]
    assert len(rows) == 4_000
    assert rows[-1] == {"id": 3_999, "name": 'a "name",\nof 3999'}
    assert len([each async for each in whole_ones(torn())]) > 1


@pytest.mark.parametrize(
    ("word", "said", "cell"),
    [
        ("integer", "-12", "<c><v>-12</v></c>"),
        ("number", "1.5e-7", "<c><v>1.5e-7</v></c>"),
        ("number", "NaN", text("NaN")),
        ("integer", "1234567890123456", text("1234567890123456")),
        ("boolean", "true", '<c t="b"><v>1</v></c>'),
        ("date", "2026-01-31", '<c s="1"><v>46053</v></c>'),
        ("date", "1899-01-01", text("1899-01-01")),
        ("moment", "2026-01-31T12:00:00.000000Z", '<c s="2"><v>46053.5000000000</v></c>'),
        ("moment", "infinity", text("infinity")),
        ("json", '{"a":1}', text('{"a":1}')),
    ],
)
async def test_a_value_becomes_the_cell_of_its_kind(word: Word, said: str, cell: str) -> None:
    assert cell_of(word)(said) == cell


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("\x00\x1b\r", "_x0000__x001B__x000D_"),
        ("_x000D_", "_x005F_x000D_"),
        ("a_x & <b>\n\t", "a_x &amp; &lt;b&gt;\n\t"),
        ("\uffff", "_xFFFF_"),
    ],
)
async def test_no_text_breaks_the_file(said: str, shown: str) -> None:
    found = text(said)
    assert f">{shown}</t>" in found
    ET.fromstring(found)  # noqa: S314 - our own


@pytest.mark.parametrize("letter", ["a", "😀"])
async def test_a_text_too_long_for_a_cell_says_that_it_is_cut(letter: str) -> None:
    whole = text(letter * (LONGEST // len(letter.encode("utf-16-le")) * 2))
    cut = text(letter * LONGEST * 2)
    assert "cut off" not in whole
    assert "cut off: a cell holds no more" in cut
    shown = ET.fromstring(cut).findtext("is/t") or ""  # noqa: S314 - our own
    assert LONGEST - 2 <= len(shown.encode("utf-16-le")) // 2 <= LONGEST
