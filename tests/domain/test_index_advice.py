"""What is asked without an index adds up, by read model and field."""

from treering.domain.index_advice import STREAM, Add, Added, index_advice
from treering.testing import of

given = of(index_advice, stream=STREAM)


def test_what_was_asked_is_added() -> None:
    asked = {"configs": {"name": 2}}
    given().when(Add(asked=asked)).then(Added(asked=asked))
    given().when(Add(asked={**asked, "trees": {}})).then(Added(asked=asked))


def test_nothing_follows_from_nothing() -> None:
    given().when(Add(asked={"configs": {}})).nothing()


def test_sums_are_by_read_model_and_field() -> None:
    one, other = Added(asked={"a": {"x": 1, "y": 2}}), Added(asked={"a": {"x": 3}, "b": {"x": 4}})
    state = given(one, other).state()
    sums = {"a": {"x": 4, "y": 2}, "b": {"x": 4}}
    assert state == sums
    assert index_advice.represent(STREAM, state) == {"id": "fields", "asked": sums}
