"""Answers in the form that is asked for, packed for who can unpack them."""

import csv
import gzip
import io
from collections.abc import Mapping
from typing import Any

import brotli
import httpx2
import msgspec
import pytest
import pytest_asyncio

from tests.gateway.running import problem, word

pytestmark = pytest.mark.asyncio(loop_scope="module")
DATASETS = "/api/v1/datasets"
MSGPACK = {"Accept": "application/msgpack"}
CSV = {"Accept": "text/csv"}
SAID: list[dict[str, Any]] = [
    {"id": "1", "name": 'a "quoted", name\nof two lines', "rows": 1, "tags": ["x"]},
    {"id": "2", "name": "ж", "rows": 2, "notes": "", "data": {"f": 1.0}},
    {"id": "3", "name": "third", "rows": 2, "notes": "x" * 3000},
]


def unpacked(response: httpx2.Response) -> Any:
    assert response.headers["content-type"] == "application/msgpack"
    return msgspec.msgpack.decode(response.content)


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def made(http: httpx2.AsyncClient) -> None:
    for each in SAID:
        assert (await http.post(DATASETS, json=each)).status_code == 201


@pytest.mark.parametrize("address", ["/3", "?page=1&size=2", "?id=3", "/$stats", "/3/$history"])
async def test_messagepack_says_what_json_does(http: httpx2.AsyncClient, address: str) -> None:
    plain = await http.get(DATASETS + address)
    packed = await http.get(DATASETS + address, headers=MSGPACK)
    assert unpacked(packed) == plain.json()
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept, Accept-Encoding"


@pytest.mark.parametrize("query", ["", "?page=1&size=3", "?cursor=&size=3"])
async def test_a_list_is_a_table_too(http: httpx2.AsyncClient, query: str) -> None:
    response = await http.get(DATASETS + query, headers=CSV)
    assert response.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    exported = (await http.get(f"{DATASETS}/$export")).text
    rows, those = (
        [*csv.DictReader(io.StringIO(each, newline=""))] for each in (response.text, exported)
    )
    assert rows == [{name: each[name] for name in each if name != "deleted_at"} for each in those]
    assert response.text.partition("\n")[2].count('""') == exported.partition("\n")[2].count('""')


async def test_figures_are_tables_too(http: httpx2.AsyncClient) -> None:
    async def rows(address: str) -> list[list[str]]:
        response = await http.get(DATASETS + address, headers=CSV)
        assert response.status_code == 200
        return [*csv.reader(io.StringIO(response.text, newline=""))]

    assert await rows("/$stats") == [["total"], ["3"]]
    assert (await rows("/$facets?of=rows"))[1] == ["rows", "2", "2"]
    groups = await rows("/$aggregate?group_by=rows&sum=rows")
    assert groups == [["group.rows", "count", "sum.rows"], ["1", "1", "1"], ["2", "2", "4"]]
    assert (await rows("/1?fields=id,rows")) == [["id", "rows"], ["1", "1"]]


async def test_what_there_is_not_is_refused_with_what_there_is(http: httpx2.AsyncClient) -> None:
    response = await http.get(DATASETS, headers={"Accept": "image/png"})
    assert word(response) == "not-acceptable"
    assert problem(response)["available"] == ["application/json", "application/msgpack", "text/csv"]
    nested = await http.get(f"{DATASETS}/1/$history", headers=CSV)
    assert problem(nested)["available"] == ["application/json", "application/msgpack"]


async def test_nothing_is_written_for_who_cannot_take_the_answer(http: httpx2.AsyncClient) -> None:
    body = {"id": "no", "name": "never"}
    response = await http.post(DATASETS, json=body, headers={"Accept": "text/html"})
    assert word(response) == "not-acceptable"
    assert (await http.get(f"{DATASETS}/no")).status_code == 404


async def test_problems_are_in_messagepack_for_who_asked_so(http: httpx2.AsyncClient) -> None:
    response = await http.get(f"{DATASETS}/none", headers=MSGPACK)
    assert response.status_code == 404
    assert unpacked(response)["type"] == "urn:treering:error:not-found"
    assert word(await http.get(f"{DATASETS}/none", headers=CSV)) == "not-found"


async def test_a_body_may_be_messagepack(http: httpx2.AsyncClient) -> None:
    said = {"id": "packed", "name": "я", "rows": 5, "data": {"f": 1.5, "n": None}}
    headers = {**MSGPACK, "Content-Type": "application/msgpack"}
    made = await http.post(DATASETS, content=msgspec.msgpack.encode(said), headers=headers)
    assert made.status_code == 201
    assert unpacked(made).items() >= said.items()
    many = msgspec.msgpack.encode({"delete": ["packed"]})
    assert unpacked(await http.post(f"{DATASETS}/$bulk", content=many, headers=headers))["success"]


@pytest.mark.parametrize(
    "said",
    [
        b"\xc1",
        b"\x81\xa1a",
        msgspec.msgpack.encode({1: "a"}),
        msgspec.msgpack.encode({"a": b"\xff"}),
        msgspec.msgpack.encode({"a": float("nan")}),
        b"\x91" * 1000 + b"\x90",
        b"",
    ],
)
async def test_a_body_that_json_cannot_say_is_refused(
    http: httpx2.AsyncClient, said: bytes
) -> None:
    headers = {"Content-Type": "application/msgpack"}
    assert word(await http.post(DATASETS, content=said, headers=headers)) == "bad-request"


async def raw(http: httpx2.AsyncClient, address: str, **headers: str) -> tuple[Any, bytes]:
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    async with http.stream("GET", DATASETS + address, headers=said) as response:
        return response, b"".join([piece async for piece in response.aiter_raw()])


_brotli: Any = brotli
UNPACK: Mapping[str, Any] = {"gzip": gzip.decompress, "br": _brotli.decompress}


@pytest.mark.parametrize("kind", [*UNPACK])
async def test_a_large_answer_is_packed(http: httpx2.AsyncClient, kind: str) -> None:
    plain, body = await raw(http, "/3", Accept_Encoding="identity")
    assert "content-encoding" not in plain.headers
    response, packed = await raw(http, "/3", Accept_Encoding=kind)
    assert response.headers["content-encoding"] == kind
    assert UNPACK[kind](packed) == body
    assert response.headers["etag"] != plain.headers["etag"]
    small, _ = await raw(http, "/1", Accept_Encoding=kind)
    assert "content-encoding" not in small.headers
    assert small.headers["vary"] == "Accept, Accept-Encoding"


async def test_every_form_has_a_tag_that_is_taken_again(http: httpx2.AsyncClient) -> None:
    seen: set[str] = set()
    for accept in ("*/*", "application/msgpack", "text/csv"):
        for packing in ("identity", "gzip", "br"):
            said = {"Accept": accept, "Accept-Encoding": packing}
            response, _ = await raw(http, "/3", **said)
            tag = response.headers["etag"]
            again, nothing = await raw(http, "/3", **said, If_None_Match=f'"0", {tag}')
            assert (again.status_code, nothing) == (304, b"")
            assert again.headers["etag"] == tag
            seen.add(tag)
            done = await http.patch(f"{DATASETS}/3", json={}, headers={"If-Match": tag})
            assert done.status_code == 200, done.text
    assert len(seen) == 9
    plain, _ = await raw(http, "/3", Accept_Encoding="identity")
    other, _ = await raw(http, "/3", Accept="text/csv", If_None_Match=plain.headers["etag"])
    assert other.status_code == 200
