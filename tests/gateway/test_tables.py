"""Read models that are no entity's own are asked like all others."""

from collections.abc import AsyncGenerator, Iterable
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from sqlalchemy import BigInteger, Column, MetaData, Table, Text

from tests.gateway.running import Circumstances, Running, running, word
from treering import ulid
from treering.embedded import Addresses
from treering.entity import Created
from treering.message import Recorded
from treering.projection import Change, increment, projection, put

pytestmark = pytest.mark.asyncio(loop_scope="module")

SIZES = Table(
    "sizes",
    MetaData(),
    Column("rows", BigInteger, primary_key=True),
    Column("datasets", BigInteger, nullable=False),
)
NAMES = Table(
    "names",
    MetaData(),
    Column("first", Text, primary_key=True),
    Column("second", Text, primary_key=True),
)
SECRETS = Table("secrets", MetaData(), Column("name", Text, primary_key=True))


@projection("sizes", tables=[SIZES], kinds={"dataset"})
def sizes(recorded: Recorded[Any]) -> Iterable[Change]:
    if isinstance(recorded.event, Created):
        yield increment(SIZES, recorded.event.fields["rows"], {"datasets": 1})


@projection("names", tables=[NAMES], kinds={"dataset"})
def names(recorded: Recorded[Any]) -> Iterable[Change]:
    if isinstance(recorded.event, Created):
        first, _, second = recorded.event.fields["name"].partition(" ")
        yield put(NAMES, {"first": first, "second": second})


@projection("secrets", tables=[SECRETS], kinds={"dataset"}, served=False)
def secrets(recorded: Recorded[Any]) -> Iterable[Change]:
    if isinstance(recorded.event, Created):
        yield put(SECRETS, {"name": recorded.event.fields["name"]})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(servers: Addresses) -> AsyncGenerator[Running]:
    named = f"t-{ulid.new()[-12:].lower()}"
    further = Circumstances(further=[sizes, names, secrets])
    async with running(servers, named, further) as started:
        for rows in (1, 2, 2, 3):
            body = {"name": f"rain {ulid.new()}", "rows": rows}
            made = await started.http.post("/api/v1/datasets", json=body)
            assert made.status_code == 201
        started.http.headers["Treering-Position"] = made.headers["treering-position"]
        yield started


@pytest.fixture
def http(service: Running) -> httpx2.AsyncClient:
    return service.http


async def test_rows_are_asked_for_in_the_same_words(http: httpx2.AsyncClient) -> None:
    asked = {"datasets[gte]": 1, "sort": "-datasets,rows", "page": 1, "size": 2}
    found = await http.get("/api/v1/sizes", params=asked)
    assert found.json() == {
        "items": [{"rows": 2, "datasets": 2}, {"rows": 1, "datasets": 1}],
        "total": 3, "page": 1, "size": 2, "pages": 2,
    }  # fmt: skip
    assert (await http.get("/api/v1/sizes/$stats")).json() == {"total": 3}
    assert (await http.get("/api/v1/sizes/$aggregate", params={"sum": "datasets"})).json() == [
        {"count": 3, "sum": {"datasets": 4}}
    ]
    lines = (await http.get("/api/v1/sizes/$export", params={"sort": "rows"})).text.splitlines()
    assert lines == ["rows,datasets", "1,1", "2,2", "3,1"]
    table = await http.get(
        "/api/v1/sizes", params={"sort": "-rows"}, headers={"Accept": "text/csv"}
    )
    assert table.text.split()[:2] == ["rows,datasets", "3,1"]


async def test_a_list_that_has_not_changed_is_not_sent_again(http: httpx2.AsyncClient) -> None:
    tag = (await http.get("/api/v1/sizes")).headers["etag"]
    again = await http.get("/api/v1/sizes", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_row_has_an_address_if_its_key_is_one_column(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/api/v1/sizes/2")).json() == {"rows": 2, "datasets": 2}
    for missing in ("4", "x", "2.0", "9" * 40):
        refused = await http.get(f"/api/v1/sizes/{missing}")
        assert (refused.status_code, word(refused)) == (404, "not-found")
    assert len((await http.get("/api/v1/names")).json()) == 4
    assert (await http.get("/api/v1/names/rain")).status_code == 404


async def test_nothing_is_written_and_nothing_is_past_there(http: httpx2.AsyncClient) -> None:
    for method in ("POST", "DELETE"):
        refused = await http.request(method, "/api/v1/sizes")
        assert (refused.status_code, word(refused)) == (405, "method-not-allowed")
    then = await http.get("/api/v1/sizes/2", params={"as_of": "1"})
    assert (then.status_code, word(then)) == (422, "validation-failed")


async def test_it_is_described(http: httpx2.AsyncClient) -> None:
    schema = (await http.get("/api/v1/sizes/$schema")).json()
    assert schema["properties"] == {"rows": {"type": "integer"}, "datasets": {"type": "integer"}}
    document = (await http.get("/openapi.json")).json()
    assert "/api/v1/sizes/{id}" in document["paths"]
    assert "/api/v1/names/{id}" not in document["paths"]
    assert [*document["paths"]["/api/v1/sizes"]] == ["get"]
    assert (await http.get("/")).json()["collections"]["sizes"] == "/api/v1/sizes"
    details = (await http.get("/api/v1/info/$details")).json()
    (told,) = [each for each in details["collections"] if each["read_model"] == "sizes"]
    assert told["fields"] == ["datasets", "rows"]


async def test_one_that_is_not_to_be_served_is_not(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/api/v1/secrets")).status_code == 404
