"""All that matches, as one file."""

import csv
import gzip
import io
import json
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from tests.gateway.running import problem

pytestmark = pytest.mark.asyncio(loop_scope="module")
DATASETS = "/api/v1/datasets"
SAID: list[dict[str, Any]] = [
    {"id": "1", "name": 'a "quoted", name\nof two lines', "rows": 1, "tags": ["x"]},
    {"id": "2", "name": "ж\\n", "rows": 2, "notes": "", "data": {"deep": [1, "\t"]}},
    {"id": "3", "name": "third", "rows": 3},
]


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def made(http: httpx2.AsyncClient) -> None:
    for each in SAID:
        assert (await http.post(DATASETS, json=each)).status_code == 201


async def exported(http: httpx2.AsyncClient, query: str = "") -> httpx2.Response:
    response = await http.get(f"{DATASETS}/$export?{query}")
    assert response.status_code == 200, response.text
    return response


async def test_a_csv_file_holds_all_rows(http: httpx2.AsyncClient) -> None:
    response = await exported(http)
    assert response.headers["content-type"].startswith("text/csv; charset=utf-8")
    assert response.headers["content-disposition"] == 'attachment; filename="datasets.csv"'
    rows = [*csv.DictReader(io.StringIO(response.text, newline=""))]
    listed = (await http.get(DATASETS)).json()
    assert [row["name"] for row in rows] == [each["name"] for each in SAID]
    assert [row["created_at"] for row in rows] == [each["created_at"] for each in listed]
    assert [json.loads(row["data"]) for row in rows] == [each["data"] for each in listed]
    assert (rows[0]["rows"], rows[0]["tags"], rows[2]["notes"]) == ("1", '["x"]', "")


@pytest.mark.parametrize("form", ["json", "ndjson"])
async def test_a_file_of_json_holds_what_the_list_does(http: httpx2.AsyncClient, form: str) -> None:
    response = await exported(http, f"format={form}")
    found = (
        response.json()
        if form == "json"
        else [json.loads(line) for line in response.text.splitlines()]
    )
    assert found == (await http.get(DATASETS)).json()


async def test_what_is_asked_for_is_exported(http: httpx2.AsyncClient) -> None:
    response = await exported(http, "rows[gte]=2&sort=-rows&fields=id,rows")
    assert response.text == "id,rows\n3,3\n2,2\n"
    assert (await exported(http, "name=none&fields=id")).text == "id\n"
    assert (await exported(http, "name=none&format=json")).json() == []
    assert (await exported(http, "name=none&format=ndjson")).text == ""


async def test_a_file_is_packed_for_who_can_unpack_it(http: httpx2.AsyncClient) -> None:
    plain = await http.get(f"{DATASETS}/$export", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    async with http.stream(
        "GET", f"{DATASETS}/$export", headers={"Accept-Encoding": "gzip"}
    ) as packed:
        raw = b"".join([piece async for piece in packed.aiter_raw()])
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == plain.content


@pytest.mark.parametrize(
    ("query", "path"),
    [("format=pdf", "query.format"), ("page=1", "query.page"), ("rows=x", "query.rows")],
)
async def test_a_fault_is_a_problem_and_no_file(
    http: httpx2.AsyncClient, query: str, path: str
) -> None:
    response = await http.get(f"{DATASETS}/$export?{query}")
    assert response.status_code == 422
    assert problem(response)["errors"][0]["path"] == path
