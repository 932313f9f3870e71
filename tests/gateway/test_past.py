"""What happened to an entity can be asked: every version, what differs, and how it was."""

import httpx2
import pytest
import pytest_asyncio

from tests.gateway.running import problem, word

pytestmark = pytest.mark.asyncio(loop_scope="module")
DATASETS = "/api/v1/datasets"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def positions(http: httpx2.AsyncClient) -> list[str]:
    """Have an entity that is made, changed, deleted and restored; return where each happened."""
    address = f"{DATASETS}/past"
    answers = [
        await http.post(DATASETS, json={"id": "past", "name": "first", "rows": 1}),
        await http.put(address, json={"name": "second", "notes": "new"}),
        await http.delete(address),
        await http.post(f"{address}/$restore"),
    ]
    return [each.headers["treering-position"].rpartition(":")[2] for each in answers]


async def test_a_history_tells_who_did_what_when(
    http: httpx2.AsyncClient, positions: list[str]
) -> None:
    found = (await http.get(f"{DATASETS}/past/$history")).json()
    assert [each["type"] for each in found["items"]] == [
        "dataset.created.v1",
        "dataset.updated.v1",
        "dataset.deleted.v1",
        "dataset.restored.v1",
    ]
    assert [str(each["position"]) for each in found["items"]] == positions
    second = found["items"][1]
    assert second["version"] == 2
    assert second["actor"] == "http"
    assert second["changes"] == {
        "name": {"before": "first", "after": "second"},
        "notes": {"before": None, "after": "new"},
    }
    assert set(found["items"][2]["changes"]) == {"deleted_at"}
    assert found["next"] is None


async def test_a_history_goes_on_after_a_version(
    http: httpx2.AsyncClient, positions: list[str]
) -> None:
    first = (await http.get(f"{DATASETS}/past/$history?size=3")).json()
    assert ([each["version"] for each in first["items"]], first["next"]) == ([1, 2, 3], 3)
    rest = (await http.get(f"{DATASETS}/past/$history?size=3&after=3")).json()
    assert ([each["version"] for each in rest["items"]], rest["next"]) == ([len(positions)], None)


async def test_two_versions_are_compared(http: httpx2.AsyncClient, positions: list[str]) -> None:
    found = (await http.get(f"{DATASETS}/past/$diff?from=1&to=2")).json()
    assert found["changes"]["name"] == {"before": "first", "after": "second"}
    last = (await http.get(f"{DATASETS}/past/$diff")).json()
    assert (last["from"], last["to"], set(last["changes"])) == (3, len(positions), {"deleted_at"})
    whole = (await http.get(f"{DATASETS}/past/$diff?from=0&to=1")).json()
    assert whole["changes"]["rows"] == {"after": 1}
    beyond = await http.get(f"{DATASETS}/past/$diff?to=99")
    assert (beyond.status_code, word(beyond)) == (422, "validation-failed")
    turned = await http.get(f"{DATASETS}/past/$diff?from=2&to=1")
    assert (turned.status_code, problem(turned)["errors"][0]["path"]) == (422, "query.from")
    same = (await http.get(f"{DATASETS}/past/$diff?from=2&to=2")).json()
    assert (same["from"], same["to"], same["changes"]) == (2, 2, {})


async def test_an_entity_is_shown_as_it_was(http: httpx2.AsyncClient, positions: list[str]) -> None:
    made, changed, deleted, _ = positions
    then = await http.get(f"{DATASETS}/past", params={"as_of": made})
    assert (then.json()["name"], then.headers["etag"][:3]) == ("first", '"1-')
    then = await http.get(f"{DATASETS}/past", params={"as_of": changed, "fields": "name"})
    assert then.json() == {"name": "second"}
    gone = await http.get(f"{DATASETS}/past", params={"as_of": deleted})
    assert gone.status_code == 404
    shown = {"as_of": deleted, "include_deleted": "true"}
    assert (await http.get(f"{DATASETS}/past", params=shown)).json()["deleted_at"]


async def test_an_entity_is_shown_as_it_was_at_a_time(
    http: httpx2.AsyncClient, positions: list[str]
) -> None:
    items = (await http.get(f"{DATASETS}/past/$history")).json()["items"]
    then = await http.get(f"{DATASETS}/past", params={"as_of": items[0]["recorded_at"]})
    assert (then.json()["name"], len(items)) == ("first", len(positions))
    before = await http.get(f"{DATASETS}/past", params={"as_of": "2000-01-01"})
    assert before.status_code == 404


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("soon", "no position"),
        ("9" * 19, "to come"),
        ("9" * 40, "no position"),
        ("", "no position"),
    ],
)
async def test_what_is_no_time_is_refused(http: httpx2.AsyncClient, said: str, why: str) -> None:
    response = await http.get(f"{DATASETS}/past", params={"as_of": said})
    assert response.status_code == 422
    assert why in problem(response)["errors"][0]["msg"]


async def test_what_was_purged_shows_that_it_was_and_nothing_else(
    http: httpx2.AsyncClient,
) -> None:
    await http.post(DATASETS, json={"id": "purged", "name": "secret"})
    await http.delete(f"{DATASETS}/purged")
    assert (await http.post(f"{DATASETS}/purged/$purge")).status_code == 204
    found = await http.get(f"{DATASETS}/purged/$history")
    assert [each.get("is_erased", False) for each in found.json()["items"]] == [True, True, False]
    assert "secret" not in found.text
    assert (await http.get(f"{DATASETS}/purged?as_of=1")).status_code == 404


async def test_what_never_was_has_no_past(http: httpx2.AsyncClient) -> None:
    for path in ("never/$history", "never/$diff", "never?as_of=1"):
        response = await http.get(f"{DATASETS}/{path}")
        assert (response.status_code, word(response)) == (404, "not-found")
