"""Figures of what matches: how many there are, of each group, and of each value."""

from typing import Any

import httpx2
import pytest
import pytest_asyncio

from tests.gateway.running import problem

pytestmark = pytest.mark.asyncio(loop_scope="module")
DATASETS = "/api/v1/datasets"


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def made(http: httpx2.AsyncClient) -> None:
    """Have four datasets, one of them without notes."""
    said: list[dict[str, Any]] = [
        {"name": "a", "rows": 1, "notes": "wet", "tags": ["x", "y"]},
        {"name": "b", "rows": 2, "notes": "wet", "tags": ["x"]},
        {"name": "c", "rows": 4, "notes": "dry"},
        {"name": "d", "rows": 8},
    ]
    for each in said:
        assert (await http.post(DATASETS, json=each)).status_code == 201


async def asked(http: httpx2.AsyncClient, path: str) -> Any:
    response = await http.get(f"{DATASETS}/{path}")
    assert response.status_code == 200, response.text
    return response.json()


async def test_stats_count_what_matches(http: httpx2.AsyncClient) -> None:
    assert await asked(http, "$stats") == {"total": 4}
    assert await asked(http, "$stats?rows[gt]=1&notes=wet") == {"total": 1}


async def test_facets_tell_how_often_each_value_is_there_the_most_frequent_first(
    http: httpx2.AsyncClient,
) -> None:
    assert await asked(http, "$facets?of=notes,tags") == {
        "notes": [
            {"value": "wet", "count": 2},
            {"value": "dry", "count": 1},
            {"value": None, "count": 1},
        ],
        "tags": [{"value": "x", "count": 2}, {"value": "y", "count": 1}],
    }
    found = await asked(http, "$facets?of=notes&size=1&rows[lt]=8")
    assert found == {"notes": [{"value": "wet", "count": 2}]}


async def test_groups_have_figures(http: httpx2.AsyncClient) -> None:
    found = await asked(http, "$aggregate?group_by=notes&sum=rows&avg=rows&min=name,rows&max=name")
    assert found == [
        {
            "group": {"notes": "dry"},
            "count": 1,
            "sum": {"rows": 4},
            "avg": {"rows": 4.0},
            "min": {"name": "c", "rows": 4},
            "max": {"name": "c"},
        },
        {
            "group": {"notes": "wet"},
            "count": 2,
            "sum": {"rows": 3},
            "avg": {"rows": 1.5},
            "min": {"name": "a", "rows": 1},
            "max": {"name": "b"},
        },
        {
            "group": {"notes": None},
            "count": 1,
            "sum": {"rows": 8},
            "avg": {"rows": 8.0},
            "min": {"name": "d", "rows": 8},
            "max": {"name": "d"},
        },
    ]


async def test_without_groups_all_that_matches_is_one(http: httpx2.AsyncClient) -> None:
    found = await asked(http, "$aggregate?sum=rows&rows[lt]=8")
    assert found == [{"count": 3, "sum": {"rows": 7}}]
    found = await asked(http, "$aggregate?sum=rows&name=none")
    assert found == [{"count": 0, "sum": {"rows": None}}]
    assert await asked(http, "$aggregate?group_by=name&name=none") == []


@pytest.mark.parametrize(
    ("query", "path", "said"),
    [
        ("$stats?sort=name", "query.sort", "Unknown parameter"),
        ("$facets", "query.of", "Say which fields"),
        ("$facets?of=nots", "query.of", "did you mean 'notes'"),
        ("$facets?of=data.a", "query.of", "not gathered by data.a"),
        ("$aggregate?group_by=tags", "query.group_by", "not gathered by tags"),
        ("$aggregate?sum=name", "query.sum", "There is no sum of name, but of rows"),
        ("$aggregate?max=tags", "query.max", "There is no max of tags"),
        ("$aggregate?group_by=", "query.group_by", "Unknown field"),
        ("$aggregate?size=1001", "query.size", "from 1 to 1000"),
    ],
)
async def test_a_fault_is_named(http: httpx2.AsyncClient, query: str, path: str, said: str) -> None:
    response = await http.get(f"{DATASETS}/{query}")
    assert response.status_code == 422
    (fault,) = problem(response)["errors"]
    assert fault["path"] == path
    assert said in fault["msg"]
