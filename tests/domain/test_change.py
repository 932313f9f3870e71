"""Changing an entity: set some fields, merge a patch, or replace all."""

from typing import Any, cast

import pytest
from hypothesis import given as given_any
from hypothesis import strategies as st

from tests.domain.weather import RAIN, given
from treering.domain.config import StoredConfig
from treering.entity import Created, Patch, Replace, Replaced, Update, Updated
from treering.errors import InvalidBody, NotFound, Refusal
from treering.message import Command
from treering.testing import of

LIVE = given(Created(fields={**RAIN, "area": {"north": 1.0, "south": 2.0}, "source": "gauge"}))


@pytest.mark.parametrize("command", [Update(fields={}), Patch(fields={}), Replace(fields={})])
def test_what_does_not_exist_is_not_changed(command: Command) -> None:
    given().when(command).refuses(NotFound)


def test_an_update_says_only_what_changed() -> None:
    LIVE.when(Update(fields={"rows": 3, "name": "rain"})).then(Updated(fields={"rows": 3}))


def test_an_update_sets_whole_fields() -> None:
    LIVE.when(Update(fields={"area": {"west": 3}})).then(Updated(fields={"area": {"west": 3.0}}))


def test_an_update_without_a_change_does_nothing() -> None:
    LIVE.when(Update(fields={"rows": 0})).nothing()
    LIVE.when(Update(fields={})).nothing()


def test_an_update_to_null_sets_null() -> None:
    LIVE.when(Update(fields={"source": None})).then(Updated(fields={"source": None}))


@pytest.mark.parametrize("word", [Update, Patch])
def test_a_change_that_does_not_fit_is_refused(word: type[Update] | type[Patch]) -> None:
    LIVE.when(word(fields={"rows": "many", "nam": "x"})).refuses(InvalidBody, "rows", "nam")
    LIVE.when(word(fields={"id": "other"})).refuses(InvalidBody, "id")


def test_a_patch_merges_into_objects() -> None:
    patch = Patch(fields={"area": {"north": None, "west": 3}})
    LIVE.when(patch).then(Updated(fields={"area": {"south": 2.0, "west": 3.0}}))


def test_a_patch_with_null_takes_a_field_back_to_its_default() -> None:
    LIVE.when(Patch(fields={"source": None})).then(Updated(fields={"source": None}))


def test_a_patch_cannot_take_a_required_field_away() -> None:
    LIVE.when(Patch(fields={"name": None})).refuses(InvalidBody, "name")


def test_a_patch_without_a_change_does_nothing() -> None:
    LIVE.when(Patch(fields={"area": {"north": 1}, "rows": None})).nothing()


def test_a_replace_sets_all_fields() -> None:
    LIVE.when(Replace(fields={"name": "snow"})).then(Replaced(fields={**RAIN, "name": "snow"}))


def test_a_replace_by_the_same_does_nothing() -> None:
    given(Created(fields=RAIN)).when(Replace(fields={"name": "rain"})).nothing()


def test_a_replace_needs_what_a_create_needs() -> None:
    LIVE.when(Replace(fields={})).refuses(InvalidBody, "name")


@pytest.mark.parametrize("other", [True, 1.0])
def test_what_only_python_takes_for_the_same_is_a_change(other: object) -> None:
    config = of(StoredConfig)(Created(fields={"tags": [], "name": "lags", "data": {"n": 1}}))
    fields = {"name": "lags", "data": {"n": other}}
    config.when(Update(fields=fields)).then(Updated(fields={"data": {"n": other}}))
    config.when(Replace(fields=fields)).then(Replaced(fields={"tags": [], **fields}))
    config.when(Update(fields={"data": {"n": 1}})).nothing()


def test_a_field_that_is_newer_than_the_entity_is_stored_once_it_is_said() -> None:
    old = given(Created(fields={name: RAIN[name] for name in ("tags", "name", "rows")}))
    old.when(Update(fields={"rows": 3})).then(Updated(fields={"rows": 3}))
    old.when(Update(fields={"source": None})).then(Updated(fields={"source": None}))


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.floats(-9, 9), lambda below: st.dictionaries(st.sampled_from("abc"), below)
)


OBJECTS = st.dictionaries(st.sampled_from("abc"), JSON)


@given_any(OBJECTS, OBJECTS)
def test_a_patch_is_what_rfc_7396_says(old: dict[str, Any], patch: dict[str, Any]) -> None:
    config = of(StoredConfig)
    created = Created(fields={"tags": [], "name": "lags", "data": old})
    outcome = config(created).when(Patch(fields={"data": patch})).outcome
    assert not isinstance(outcome, Refusal)
    state = config(created, *outcome.get("config/1", ())).state()
    assert state.fields["data"] == rfc_7396(old, patch)


def rfc_7396(target: Any, patch: Any) -> Any:
    """Apply a patch as the RFC's own pseudo-code does."""
    if not isinstance(patch, dict):
        return patch
    made = cast("dict[str, Any]", {**target} if isinstance(target, dict) else {})
    for name, value in cast("dict[str, Any]", patch).items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = rfc_7396(made.get(name), value)
    return made
