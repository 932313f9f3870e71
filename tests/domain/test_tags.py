"""Tags: added and taken away one by one, each there once."""

import pytest

from tests.domain.weather import RAIN, given
from treering.entity import Created, Tag, Tagged, Untag, Untagged, Update, Updated
from treering.errors import InvalidBody

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
