"""What a client would like of the answer to a write."""

import httpx2
import pytest

from tests.gateway.running import word
from treering import ulid
from treering.gateway.http.preferences import Preferences, read

DATASETS = "/api/v1/datasets"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("respond-async", Preferences(is_async=True)),
        ("Respond-Async, WAIT=5", Preferences(is_async=True, wait=5)),
        ('return="minimal"; foo="bar"', Preferences(returns="minimal")),
        ("return=minimal, return=representation", Preferences(returns="minimal")),
        ("handling=replace,return=representation",
         Preferences(returns="representation", replaces=True)),
        ("wait=soon, return=half, priority=5, ,;,=", Preferences()),
    ],
)  # fmt: skip
def test_a_header_says_several_and_of_each_the_first_counts(said: str, meant: Preferences) -> None:
    assert read(said) == meant


@pytest.mark.asyncio(loop_scope="module")
async def test_a_short_answer_has_no_body(http: httpx2.AsyncClient) -> None:
    short = {"Prefer": "return=minimal"}
    made = await http.post(DATASETS, json={"name": ulid.new()}, headers=short)
    assert (made.status_code, made.content) == (201, b"")
    assert made.headers["preference-applied"] == "return=minimal"
    assert made.headers["etag"].startswith('"1-')
    place = made.headers["location"]
    for said in (
        await http.put(place, json={"rows": 2}, headers=short),
        await http.patch(place, json={"rows": 3}, headers=short),
    ):
        assert (said.status_code, said.content) == (204, b"")
        assert said.headers["preference-applied"] == "return=minimal"
        assert said.headers["treering-position"]
    assert (await http.get(place)).json()["rows"] == 3
    refused = await http.post(DATASETS, json={"name": 3}, headers=short)
    assert (refused.status_code, word(refused)) == (422, "validation-failed")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_whole_answer_shows_even_what_was_deleted(http: httpx2.AsyncClient) -> None:
    whole = {"Prefer": "return=representation"}
    made = await http.post(DATASETS, json={"name": ulid.new()}, headers=whole)
    assert made.headers["preference-applied"] == "return=representation"
    gone = await http.delete(made.headers["location"], headers=whole)
    assert (gone.status_code, gone.json()["id"]) == (200, made.json()["id"])
    assert "deleted_at" in gone.json()
    purged = await http.post(f"{DATASETS}/{made.json()['id']}/$purge", headers=whole)
    assert (purged.status_code, "preference-applied" in purged.headers) == (204, False)
