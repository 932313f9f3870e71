"""What is asked in an address is understood, or every fault of it is named."""

from urllib.parse import quote

import httpx2
import pytest

from tests.gateway.running import Dataset, problem, word
from treering.gateway.http.query import parsed, whole
from treering.query import RESERVED, Cursor, FilterSpec, Parsing, Shape, SortSpec, written

pytestmark = pytest.mark.asyncio(loop_scope="module")
DATASETS = "/api/v1/datasets"


async def test_conditions_order_fields_and_page_combine(http: httpx2.AsyncClient) -> None:
    for name, rows in (("combined a", 1), ("combined b", 2), ("combined c", 3), ("other", 3)):
        made = await http.post(DATASETS, json={"name": name, "rows": rows})
        assert made.status_code == 201
    response = await http.get(
        DATASETS,
        params={
            "name[starts_with]": "combined",
            "filter": '{"rows[gte]": 2}',
            "sort": "-rows",
            "fields": "name,rows",
            "page": 1,
            "size": 1,
        },
    )
    assert response.json() == {
        "items": [{"name": "combined c", "rows": 3}],
        "total": 2,
        "page": 1,
        "size": 1,
        "pages": 2,
    }


async def test_a_page_that_is_not_counted_has_no_total(http: httpx2.AsyncClient) -> None:
    response = await http.get(DATASETS, params={"page": 1, "size": 1, "count": "none"})
    assert sorted(response.json()) == ["items", "page", "size"]


async def test_an_estimate_is_told_in_place_of_a_count(http: httpx2.AsyncClient) -> None:
    page = (await http.get(DATASETS, params={"page": 1, "size": 1, "count": "planned"})).json()
    assert page["total"] >= 1
    found = (await http.get(f"{DATASETS}/$stats", params={"count": "planned"})).json()
    assert found["total"] >= 0
    response = await http.get(f"{DATASETS}/$stats", params={"count": "none"})
    assert problem(response)["errors"][0]["path"] == "query.count"


async def test_all_parameters_are_reserved_names(http: httpx2.AsyncClient) -> None:
    paths = (await http.get("/openapi.json")).json()["paths"]
    said = {
        each["name"]
        for path, item in paths.items()
        if path.startswith(DATASETS)
        for each in item.get("get", {}).get("parameters", ())
        if each["in"] == "query"
    }
    fields = {"id", "created_at", "updated_at", "deleted_at", *Dataset.model_fields}
    assert said - fields <= RESERVED
    assert {"page", "size", "sum", "format"} <= said


async def test_a_field_called_like_a_parameter_is_asked_for_in_brackets_and_in_json() -> None:
    shape = Shape(words={"size": "integer"}, filterable=["size"], sortable=[])
    for query in (b"size=2&size[eq]=3", b'size=2&filter={"size":3}'):
        parsing = Parsing(shape, reserved=("size",))
        assert parsed(query, {"size": whole(1, 100)}, parsing) == {"size": 2}
        assert parsing.filters == [FilterSpec("size", "eq", 3)]


async def test_a_cursor_goes_on_where_the_last_one_ended_and_back(
    http: httpx2.AsyncClient,
) -> None:
    for name in "stretched a", "stretched b", "stretched c":
        await http.post(DATASETS, json={"name": name})
    asked = {"name[starts_with]": "stretched", "fields": "name", "sort": "-rows,-name", "size": 2}
    first = (await http.get(DATASETS, params={**asked, "cursor": ""})).json()
    assert [each["name"] for each in first["items"]] == ["stretched c", "stretched b"]
    assert first["previous"] is None
    await http.post(DATASETS, json={"name": "stretched d"})
    second = (await http.get(DATASETS, params={**asked, "cursor": first["next"]})).json()
    assert [each["name"] for each in second["items"]] == ["stretched a"]
    assert second["next"] is None
    back = (await http.get(DATASETS, params={**asked, "cursor": second["previous"]})).json()
    assert back["items"] == first["items"]
    assert back["previous"] is not None


async def test_a_cursor_that_no_answer_has_given_is_refused(http: httpx2.AsyncClient) -> None:
    given = (await http.get(DATASETS, params={"cursor": "", "size": 1})).json()["next"]
    for wrong in ("x", "ü", "W10", "null", given[:-3], "A" * 50_000):
        response = await http.get(DATASETS, params={"cursor": wrong})
        assert (response.status_code, word(response)) == (422, "validation-failed")
        assert problem(response)["errors"][0]["path"] == "query.cursor"
    forged = [
        written(Cursor(place=place), [SortSpec("rows")])
        for place in (["a", "b"], ["1", "2", "3"], [None, "\0"])
    ]
    for wrong in forged:
        response = await http.get(DATASETS, params={"cursor": wrong, "sort": "rows"})
        assert (response.status_code, word(response)) == (422, "validation-failed")
    response = await http.get(DATASETS, params={"cursor": given, "sort": "rows"})
    assert "another order" in problem(response)["errors"][0]["msg"]


@pytest.mark.parametrize(
    ("query", "path", "said"),
    [
        ("rows=many", "query.rows", "Expects a whole number"),
        ("rows[gte]=1.5", "query.rows[gte]", "Expects a whole number"),
        ("rows[gte]=1e3", "query.rows[gte]", "Expects a whole number"),
        ("rows=9223372036854775808", "query.rows", "Expects a whole number"),
        ("rows=" + "9" * 5000, "query.rows", "Expects a whole number"),
        ("rows=%D9%A3", "query.rows", "Expects a whole number"),
        ("rows[in]=1,x", "query.rows[in]", "Expects a whole number"),
        ("rows[in]=" + "1," * 100 + "1", "query.rows[in]", "Expects at most 100 values"),
        ("rows[between]=1", "query.rows[between]", "Expects two values"),
        ("rows[is_null]=perhaps", "query.rows[is_null]", "Expects true or false"),
        ("rows[like]=1", "query.rows[like]", "rows is a whole number, and takes between, eq"),
        ("rows[gteq]=1", "query.rows[gteq]", "did you mean 'gte'"),
        ("rows[]=1", "query.rows[]", "Unknown operator"),
        ("rows[gte][lt]=1", "query.rows[gte][lt]", "Unknown parameter"),
        ("rows.a=1", "query.rows.a", "it has no parts"),
        ("name=%00", "query.name", "Expects a text"),
        ("name[like]=a%5C", "query.name[like]", "backslash"),
        ("rosw=1", "query.rosw", "did you mean 'rows'"),
        ("created_at[gte]=yesterday", "query.created_at[gte]", "Expects a moment"),
        ("created_at=9999-12-31T23:59:59-10:00", "query.created_at", "Expects a moment"),
        ("rows=1&rows=2", "query.rows", "Said more than once"),
        ("tags.[contains]=a", "query.tags.[contains]", "between its dots"),
        ("tags[gt]=true", "query.tags[gt]", "Expects numbers, or texts"),
        ("tags[between]=1,a", "query.tags[between]", "Expects numbers, or texts"),
        ("sort=rosw", "query.sort", "did you mean 'rows'"),
        ("sort=tags", "query.sort", "There is no order by tags"),
        ("sort=rows.x", "query.sort", "There is no order by rows.x"),
        ("sort=data..x", "query.sort", "a name between its dots"),
        ("sort=-rows:asc", "query.sort", "up and down"),
        ("sort=rows:up", "query.sort", "comes :asc or :desc"),
        ("sort=rows,-rows", "query.sort", "more than once"),
        ("sort=name,rows,id,created_at,updated_at,deleted_at", "query.sort", "at most 5"),
        ("sort=", "query.sort", "Unknown field"),
        ("fields=rosw", "query.fields", "did you mean 'rows'"),
        ("fields=", "query.fields", "Unknown field"),
        ("cursor=&page=1", "query.page", "say one of them"),
        ("count=guess", "query.count", "one of exact, planned, none"),
        ("filter=rows", "query.filter", "Is no JSON"),
        ("filter=" + "[" * 5000, "query.filter", "Is no JSON"),
        ("filter=[]", "query.filter", "an object of conditions"),
        ('filter={"rows":"1"}', "query.filter.rows", "Expects a whole number"),
        ('filter={"rows":true}', "query.filter.rows", "Expects a whole number"),
        ('filter={"rows":1e400}', "query.filter", ""),
        ('filter={"name":null,"rows[in]":1}', "query.filter.rows[in]", "a list of values"),
        ('filter={"name":"\\ud800"}', "query.filter", "Is no JSON"),
        ('filter={"or":{}}', "query.filter.or", "a list of objects"),
        ('filter={"or":[]}', "query.filter.or", "a list of objects"),
        ('filter={"or":[1]}', "query.filter.or.0", "an object of conditions"),
        ('filter={"a]":1}', "query.filter.a]", "Unknown field"),
        ('filter={"rosw":1}', "query.filter.rosw", "did you mean 'rows'"),
        ('filter={"tags":' + "[" * 30 + "]" * 30 + "}", "query.filter.tags", "Expects JSON"),
        ("filter=" + '{"not":' * 6 + "{}" + "}" * 6, "query.filter" + ".not" * 6, "at most 5 deep"),
        ("&".join(f"tags.x{n}=1" for n in range(11)), "query.tags.x10", "at most 10 conditions"),
    ],
)  # fmt: skip
async def test_a_fault_is_named(http: httpx2.AsyncClient, query: str, path: str, said: str) -> None:
    response = await http.get(f"{DATASETS}?{quote(query, safe='=&%')}")
    assert (response.status_code, word(response)) == (422, "validation-failed")
    (fault,) = problem(response)["errors"]
    assert fault["path"] == path
    assert said in fault["msg"]


async def test_all_faults_are_named_at_once(http: httpx2.AsyncClient) -> None:
    response = await http.get(f"{DATASETS}?rows=x&sort=y&fields=z&pge=1&size=no")
    found = [each["path"] for each in problem(response)["errors"]]
    assert sorted(found) == ["query.fields", "query.pge", "query.rows", "query.size", "query.sort"]


async def test_what_looks_like_sql_is_a_value(http: httpx2.AsyncClient) -> None:
    for text in ("' or 1=1 --", "'; drop table datasets; --", '") or ("1"="1', "$1", "%", "\\"):
        found = await http.get(DATASETS, params={"name": text})
        assert (found.status_code, found.json()) == (200, [])
