"""The kit's own first kind."""

import pytest

from treering.domain.config import StoredConfig
from treering.entity import Create, Created, Patch, Updated
from treering.errors import InvalidBody
from treering.testing import of

given = of(StoredConfig)


def test_a_config_is_a_name_and_data() -> None:
    fields = {"name": "lags", "data": {"n_lags": 3, "deep": {"er": [1, None]}}}
    given().when(Create(fields=fields)).then(Created(fields={"tags": [], **fields}))


def test_its_data_may_be_left_out() -> None:
    made = Created(fields={"tags": [], "name": "lags", "data": {}})
    given().when(Create(fields={"name": "lags"})).then(made)


@pytest.mark.parametrize("name", ["", "x" * 256, None])
def test_its_name_has_1_to_255_characters(name: str | None) -> None:
    given().when(Create(fields={"name": name})).refuses(InvalidBody, "name")


def test_its_data_is_patched_in_depth() -> None:
    live = given(Created(fields={"tags": [], "name": "lags", "data": {"a": {"b": 1, "c": 2}}}))
    patch = Patch(fields={"data": {"a": {"b": None}}})
    live.when(patch).then(Updated(fields={"data": {"a": {"c": 2}}}))


def test_two_configs_may_have_one_name_and_its_ids_are_ulids() -> None:
    said = StoredConfig.declaration
    assert (said.kind, said.plural, said.ids) == ("config", "configs", "ulid")
    assert not said.unique


def test_a_number_deep_in_its_data_is_looked_at_too() -> None:
    data = {"steps": [1, {"rate": 0.5}, 2**63]}
    create = Create(fields={"name": "lags", "data": data})
    given().when(create).refuses(InvalidBody, "data.steps.2")
