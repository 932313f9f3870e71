"""A write over HTTP is a command, and its outcome the answer."""

import httpx2
import pytest

from tests.gateway.running import problem, word
from treering import ulid

pytestmark = pytest.mark.asyncio(loop_scope="module")
DATASETS = "/api/v1/datasets"
CONFIGS = "/api/v1/configs"


def unused() -> str:
    return ulid.new().lower()


async def created(http: httpx2.AsyncClient, **fields: object) -> httpx2.Response:
    response = await http.post(DATASETS, json={"name": unused(), **fields})
    assert response.status_code == 201, response.text
    return response


async def test_what_was_created_can_be_read_where_the_answer_says(http: httpx2.AsyncClient) -> None:
    response = await created(http, rows=3)
    made = response.json()
    assert [*made] == [
        "id", "created_at", "updated_at", "tags", "name", "rows", "notes", "data",
    ]  # fmt: skip
    assert response.headers["location"] == f"{http.base_url}{DATASETS}/{made['id']}"
    assert response.headers["etag"].startswith('"1-')
    assert "treering-read-model" not in response.headers
    found = await http.get(response.headers["location"])
    assert (found.status_code, found.json()) == (200, made)
    assert [*found.json()] == [*made]


async def test_a_new_entity_gets_a_ulid(http: httpx2.AsyncClient) -> None:
    made = (await created(http)).json()
    assert ulid.normal(made["id"]) == made["id"]


async def test_a_client_may_choose_the_id_once(http: httpx2.AsyncClient) -> None:
    chosen = f"rain:{unused()}"
    response = await created(http, id=chosen)
    assert response.json()["id"] == chosen
    again = await http.post(DATASETS, json={"id": chosen, "name": unused()})
    assert (again.status_code, word(again)) == (409, "already-exists")


async def test_an_id_of_null_is_none(http: httpx2.AsyncClient) -> None:
    assert (await created(http, id=None)).json()["id"]


async def test_a_ulid_in_lower_case_is_put_into_capitals(http: httpx2.AsyncClient) -> None:
    chosen = ulid.new()
    response = await http.post(CONFIGS, json={"id": chosen.lower(), "name": "a"})
    assert (response.status_code, response.json()["id"]) == (201, chosen)
    assert (await http.get(f"{CONFIGS}/{chosen.lower()}")).json() == response.json()


@pytest.mark.parametrize(
    ("collection", "wrong", "fault"),
    [
        (CONFIGS, "rain", "ulid_format"),
        (CONFIGS, 7, "ulid_format"),
        (DATASETS, "a/b", "id_format"),
        (DATASETS, "", "id_format"),
        (DATASETS, "x" * 129, "id_format"),
    ],
)
async def test_an_id_of_the_wrong_form_is_refused(
    http: httpx2.AsyncClient, collection: str, wrong: object, fault: str
) -> None:
    response = await http.post(collection, json={"id": wrong, "name": "a"})
    assert (response.status_code, word(response)) == (422, "validation-failed")
    assert [(each["path"], each["type"]) for each in problem(response)["errors"]] == [("id", fault)]


async def test_every_fault_is_listed_at_once(http: httpx2.AsyncClient) -> None:
    response = await http.post(DATASETS, json={"rows": "many", "nmae": "rain"})
    assert (response.status_code, word(response)) == (422, "validation-failed")
    errors = {each["path"]: each for each in problem(response)["errors"]}
    assert errors.keys() == {"name", "rows", "nmae"}
    assert errors["nmae"]["suggestion"] == "name"


async def test_put_sets_what_it_names_and_keeps_the_rest(http: httpx2.AsyncClient) -> None:
    made = (await created(http, rows=3, tags=["a"])).json()
    response = await http.put(f"{DATASETS}/{made['id']}", json={"rows": 4})
    assert response.status_code == 200
    assert response.headers["etag"].startswith('"2-')
    assert response.json() == made | {"rows": 4, "updated_at": response.json()["updated_at"]}
    assert (await http.get(f"{DATASETS}/{made['id']}")).json() == response.json()


async def test_put_replaces_if_that_is_preferred(http: httpx2.AsyncClient) -> None:
    made = (await created(http, rows=3, notes="wet")).json()
    response = await http.put(
        f"{DATASETS}/{made['id']}",
        json={"name": made["name"]},
        headers={"Prefer": "handling=replace"},
    )
    assert (response.status_code, response.json()["rows"]) == (200, 0)
    assert response.json()["notes"] is None


async def test_patch_merges(http: httpx2.AsyncClient) -> None:
    made = (await created(http, data={"a": 1, "b": {"c": 2, "d": 3}}, notes="wet")).json()
    response = await http.patch(
        f"{DATASETS}/{made['id']}",
        json={"data": {"a": None, "b": {"c": 4}}, "notes": None},
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert response.status_code == 200
    assert response.json()["data"] == {"b": {"c": 4, "d": 3}}
    assert response.json()["notes"] is None


async def test_put_may_repeat_the_id_of_its_address_and_name_no_other(
    http: httpx2.AsyncClient,
) -> None:
    made = (await created(http)).json()
    address = f"{DATASETS}/{made['id']}"
    assert (await http.put(address, json={"id": made["id"], "rows": 9})).status_code == 200
    response = await http.put(address, json={"id": "other", "rows": 9})
    assert (response.status_code, problem(response)["errors"][0]["path"]) == (422, "id")


async def test_saying_what_is_so_already_changes_nothing(http: httpx2.AsyncClient) -> None:
    made = (await created(http, rows=3)).json()
    response = await http.put(f"{DATASETS}/{made['id']}", json={"rows": 3})
    assert (response.status_code, response.headers["etag"][:3]) == (200, '"1-')
    assert response.json() == made
    assert "treering-position" not in response.headers


async def test_what_is_not_there_cannot_be_changed(http: httpx2.AsyncClient) -> None:
    for response in (
        await http.put(f"{DATASETS}/none", json={"rows": 1}),
        await http.patch(f"{DATASETS}/none", json={"rows": 1}),
        await http.delete(f"{DATASETS}/none"),
        await http.post(f"{DATASETS}/none/$restore"),
    ):
        assert (response.status_code, word(response)) == (404, "not-found")


async def test_what_was_deleted_can_be_restored(http: httpx2.AsyncClient) -> None:
    made = (await created(http)).json()
    address = f"{DATASETS}/{made['id']}"
    response = await http.delete(address)
    assert (response.status_code, response.content) == (204, b"")
    assert (await http.get(address)).status_code == 404
    deleted = await http.get(address, params={"include_deleted": "true"})
    assert deleted.json()["deleted_at"] == deleted.json()["updated_at"]
    refused = await http.put(address, json={"rows": 1})
    assert (refused.status_code, word(refused)) == (409, "is-deleted")
    restored = await http.post(f"{address}/$restore")
    assert restored.status_code == 200
    assert "deleted_at" not in restored.json()
    assert (await http.get(address)).json() == restored.json()


async def test_what_was_purged_never_comes_back(http: httpx2.AsyncClient) -> None:
    made = (await created(http)).json()
    address = f"{DATASETS}/{made['id']}"
    assert (await http.post(f"{address}/%24purge")).status_code == 204
    assert (await http.get(address, params={"include_deleted": "true"})).status_code == 404
    again = await http.post(DATASETS, json={"id": made["id"], "name": unused()})
    assert (again.status_code, word(again)) == (410, "is-purged")


async def test_a_unique_key_names_its_holder(http: httpx2.AsyncClient) -> None:
    made = (await created(http)).json()
    response = await http.post(DATASETS, json={"name": made["name"]})
    assert (response.status_code, word(response)) == (409, "key-taken")
    assert problem(response)["holder"] == f"dataset/{made['id']}"


async def test_if_match_lets_only_the_newest_be_changed(http: httpx2.AsyncClient) -> None:
    response = await created(http)
    address = f"{DATASETS}/{response.json()['id']}"
    first = {"If-Match": response.headers["etag"]}
    assert (await http.put(address, json={"rows": 1}, headers=first)).status_code == 200
    for stale in (first["If-Match"], 'W/"2"', "2", '"abc"'):
        late = await http.put(address, json={"rows": 2}, headers={"If-Match": stale})
        assert (late.status_code, word(late)) == (412, "wrong-version")
    assert (await http.delete(address, headers={"If-Match": "*"})).status_code == 204


async def test_a_large_entity_is_answered_whole(http: httpx2.AsyncClient) -> None:
    notes = "x" * 100_000
    response = await created(http, notes=notes)
    assert response.json()["notes"] == notes
    address = f"{DATASETS}/{response.json()['id']}"
    assert (await http.put(address, json={"rows": 1})).json()["notes"] == notes


@pytest.mark.parametrize(
    ("raw", "status", "said"),
    [
        (b"", 400, "bad-request"),
        (b"{", 400, "bad-request"),
        (b"{'a': 1}", 400, "bad-request"),
        (b'{"name": "\xff"}', 400, "bad-request"),
        (b'{"name": NaN}', 400, "bad-request"),
        (b"[" * 100_000, 400, "bad-request"),
        (b"[]", 422, "validation-failed"),
        (b"null", 422, "validation-failed"),
        (b'{"name": "a\\u0000b"}', 422, "validation-failed"),
        (b'{"name": "' + b"a" * 900_000 + b'"}', 413, "too-large"),
    ],
    ids=lambda value: repr(value)[:12],
)
async def test_a_body_that_cannot_be_taken_is_a_problem(
    http: httpx2.AsyncClient, raw: bytes, status: int, said: str
) -> None:
    headers = {"Content-Type": "application/json"}
    response = await http.post(DATASETS, content=raw, headers=headers)
    assert (response.status_code, word(response)) == (status, said)


async def test_a_body_that_never_ends_is_cut_off(http: httpx2.AsyncClient) -> None:
    async def endless():  # noqa: ANN202
        for _ in range(20):
            yield b" " * 100_000

    headers = {"Content-Type": "application/json"}
    response = await http.post(DATASETS, content=endless(), headers=headers)
    assert (response.status_code, word(response)) == (413, "too-large")


@pytest.mark.parametrize(
    "said", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"]
)
async def test_only_json_in_utf8_is_taken(http: httpx2.AsyncClient, said: str) -> None:
    response = await http.post(DATASETS, content=b"{}", headers={"Content-Type": said})
    assert (response.status_code, word(response)) == (415, "unsupported-media-type")


async def test_a_body_has_to_say_that_it_is_json(http: httpx2.AsyncClient) -> None:
    response = await http.post(DATASETS, content=f'{{"name": "{unused()}"}}'.encode())
    assert (response.status_code, word(response)) == (415, "unsupported-media-type")
    assert "application/json" in problem(response)["detail"]


async def test_a_write_takes_no_parameters(http: httpx2.AsyncClient) -> None:
    response = await http.post(f"{DATASETS}?dry_run=true", json={"name": unused()})
    assert (response.status_code, word(response)) == (422, "validation-failed")


async def test_who_does_not_wait_is_told_where_to_ask(http: httpx2.AsyncClient) -> None:
    response = await http.post(
        DATASETS, json={"name": unused()}, headers={"Prefer": "respond-async"}
    )
    assert (response.status_code, response.json()["outcome"]) == (202, "pending")
    assert response.headers["preference-applied"] == "respond-async"
    where = response.headers["location"]
    assert where == f"/api/v1/commands/{response.json()['command']}"
    while (found := (await http.get(where)).json())["outcome"] == "pending":
        pass
    assert (found["outcome"], found["version"]) == ("accepted", 1)


async def test_the_addresses_of_before_lead_to_those_of_now(http: httpx2.AsyncClient) -> None:
    made = await http.post("/api/v1/tables", json={"name": ulid.new()})
    assert made.status_code == 201
    named = made.json()["id"]
    for said in (await http.get(f"/api/v1/tables/{named}"), await http.get("/api/v1/tables")):
        now = said.url.path.replace("tables", "datasets")
        assert said.headers["link"] == f'<{now}>; rel="successor-version"'
        assert said.json() == (await http.get(now)).json()
    assert "link" not in (await http.get(f"/api/v1/datasets/{named}")).headers


async def test_the_addresses_of_before_lead_to_what_was_asked(http: httpx2.AsyncClient) -> None:
    said = await http.get("/api/v1/tables?page=1&size=2&include_deleted=true")
    now = "/api/v1/datasets?page=1&size=2&include_deleted=true"
    assert said.headers["link"] == f'<{now}>; rel="successor-version"'
