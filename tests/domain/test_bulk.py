"""Several entities in one command: all of it is done, or nothing."""

from typing import Any

import pytest

from treering.entity import Bulk, Created, Deleted, Entity, Updated
from treering.errors import BulkRefused, InvalidBody, Refusal
from treering.testing import of


class Note(Entity):
    text: str


class Page(Entity, ids="ulid"):
    text: str


given = of(Note)
A, B = ("note/a", Created(fields={"tags": [], "text": "a"})), (
    "note/b", Created(fields={"tags": [], "text": "b"}),
)  # fmt: skip


def test_all_of_it_follows_at_once() -> None:
    said = Bulk(create=[{"id": "c", "text": "c"}], update=[{"id": "a", "text": "A"}], delete=["b"])
    given(A, B).when(said).then(
        ("note/c", Created(fields={"tags": [], "text": "c"})),
        ("note/a", Updated(fields={"text": "A"})),
        ("note/b", Deleted()),
    )


def test_what_is_so_already_is_left_out() -> None:
    said = Bulk(update=[{"id": "a", "text": "a"}], delete=["b"])
    given(A, B).when(said).then(("note/b", Deleted()))


def test_new_ones_get_ids_that_are_the_same_every_time() -> None:
    found = [given().when(Bulk(create=[{"text": "x"}, {"id": None, "text": "y"}])) for _ in "12"]
    first, again = ([*each.outcome] for each in found if not isinstance(each.outcome, Refusal))
    assert first == again
    assert len(set(first)) == 2


def test_one_fault_undoes_all_and_every_fault_is_named() -> None:
    said = Bulk(
        create=[{"id": "a", "text": "again"}, {"text": 3}],
        update=[{"id": "c", "text": "c"}, {"text": "whose"}, {"id": "b", "text": "B"}],
        delete=["no/id", "b", "a"],
    )
    refusal = given(A, B).when(said).refuses(BulkRefused)
    assert [(each["in"], each["index"]) for each in refusal.members["errors"]] == [
        ("create", 0), ("create", 1), ("update", 0), ("update", 1), ("delete", 0), ("delete", 1),
    ]  # fmt: skip
    assert refusal.problem()["status"] == 409
    assert refusal.detail.startswith("Nothing was done. create 0: note/a exists already")


def test_it_has_the_status_on_which_all_faults_agree() -> None:
    refusal = given(A).when(Bulk(create=[{"text": 3}, {}])).refuses(BulkRefused)
    assert refusal.problem()["status"] == 422


@pytest.mark.parametrize("count", [1000, 1001])
def test_there_are_at_most_a_thousand(count: int) -> None:
    said = Bulk(create=[{"text": "x"}] * (count - 1), delete=["a"])
    outcome = given(A).when(said)
    if count > 1000:
        outcome.refuses(InvalidBody)
    else:
        assert not isinstance(outcome.outcome, Refusal)


@pytest.mark.parametrize("wrong", ["a", 3, ""])
def test_ids_are_of_the_kinds_form(wrong: Any) -> None:
    of(Page)().when(Bulk(create=[{"id": wrong, "text": "x"}])).refuses(BulkRefused)


def test_ulids_are_put_into_capitals() -> None:
    made = of(Page)().when(Bulk(create=[{"id": "01jd3v0m7p3m1v9b6q2wz1x5yk", "text": "x"}]))
    assert not isinstance(made.outcome, Refusal)
    assert [*made.outcome] == ["page/01JD3V0M7P3M1V9B6Q2WZ1X5YK"]


class Old(Entity, version=2):
    title: str
    rank: int


@Old.upcast(1, missing={"rank": 1})
def from_1(fields: dict[str, Any]) -> dict[str, Any]:
    return {"title" if name == "name" else name: value for name, value in fields.items()}


def test_items_of_an_older_version_are_read_as_those_of_today() -> None:
    older = next(each for each in Old.decider().upcasts if each.old == "old.bulk.v1")
    assert older.of(
        {"create": [{"id": "a", "name": "x"}], "update": [{"id": "b", "name": "y"}]}
    ) == {
        "create": [{"id": "a", "title": "x", "rank": 1}],
        "update": [{"id": "b", "title": "y"}],
    }
    assert older.of({"delete": ["a"]}) == {"delete": ["a"]}
