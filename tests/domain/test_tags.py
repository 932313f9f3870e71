"""Tags: added and taken away one by one, each there once."""

from typing import Self

import pytest
from pydantic import model_validator

from tests.domain.weather import RAIN, given
from treering.entity import Created, Entity, Tag, Tagged, Untag, Untagged, Update, Updated
from treering.errors import InvalidBody
from treering.testing import of

PLAIN = given(Created(fields=RAIN))
TAGGED = given(Created(fields=RAIN), Tagged(tags=["a", "b", "c"]), Untagged(tags=["b"]))


def test_tags_are_added_and_taken_away() -> None:
    assert TAGGED.state().fields["tags"] == ["a", "c"]


def test_only_what_is_new_is_added() -> None:
    TAGGED.when(Tag(tags=["c", "d", "d"])).then(Tagged(tags=["d"]))
    TAGGED.when(Tag(tags=["a"])).nothing()
    TAGGED.when(Tag(tags=[])).nothing()


def test_only_what_is_there_is_taken_away() -> None:
    TAGGED.when(Untag(tags=["a", "a", "x"])).then(Untagged(tags=["a"]))
    TAGGED.when(Untag(tags=["x"])).nothing()


@pytest.mark.parametrize("tag", ["", "a b", "ä", "x" * 101])
def test_a_tag_is_a_word(tag: str) -> None:
    refusal = PLAIN.when(Tag(tags=["ok", tag])).refuses(InvalidBody)
    assert refusal.members["errors"][0]["path"] == "tags.1"


def test_there_are_at_most_fifty() -> None:
    PLAIN.when(Tag(tags=[f"t{number}" for number in range(51)])).refuses(InvalidBody, "tags")


def test_tags_that_are_set_must_differ() -> None:
    PLAIN.when(Update(fields={"tags": ["a", "a"]})).refuses(InvalidBody, "tags")
    PLAIN.when(Update(fields={"tags": ["a"]})).then(Updated(fields={"tags": ["a"]}))


class Report(Entity):
    """Is final only when somebody has approved it."""

    approved_by: str | None = None

    @model_validator(mode="after")
    def _final_is_approved(self) -> Self:
        if "final" in self.tags and self.approved_by is None:
            message = "A final report is approved"
            raise ValueError(message)
        return self


def test_a_rule_of_the_whole_entity_holds_for_tags_too() -> None:
    report = of(Report)(Created(fields={"tags": [], "approved_by": None}))
    report.when(Tag(tags=["final"])).refuses(InvalidBody)
    report.when(Tag(tags=["draft"])).then(Tagged(tags=["draft"]))


def test_tags_do_not_wait_for_what_was_broken_before() -> None:
    report = of(Report)(Created(fields={"tags": ["final"], "approved_by": None}))
    report.when(Tag(tags=["old"])).then(Tagged(tags=["old"]))
