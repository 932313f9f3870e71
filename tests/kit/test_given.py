"""Given, when, then: it fails where it should."""

from typing import Any

import pytest

from treering.domain.config import StoredConfig
from treering.entity import Create, Created, Delete, Deleted
from treering.errors import AlreadyExists, InvalidBody, NotFound
from treering.testing import of

LAGS: dict[str, Any] = {"tags": [], "name": "lags", "data": {}}
given = of(StoredConfig)


def test_another_event_than_expected_fails() -> None:
    found = given(Created(fields=LAGS)).when(Delete())
    found.then(Deleted())
    with pytest.raises(AssertionError, match="found"):
        found.nothing()
    with pytest.raises(AssertionError, match="found"):
        found.then(Deleted(), Deleted())
    with pytest.raises(AssertionError, match="found"):
        found.then(("config/other", Deleted()))


def test_a_refusal_is_no_event_and_an_event_no_refusal() -> None:
    with pytest.raises(AssertionError, match=r"refused: config/1 does not exist\."):
        given().when(Delete()).then(Deleted())
    with pytest.raises(AssertionError, match="expected"):
        given(Created(fields=LAGS)).when(Delete()).refuses(NotFound)


def test_another_refusal_or_other_faults_fail() -> None:
    found = given(Created(fields=LAGS)).when(Create(fields={"name": "lags"}))
    found.refuses(AlreadyExists)
    with pytest.raises(AssertionError, match="expected"):
        found.refuses(NotFound)
    invalid = given().when(Create(fields={"nam": "lags"}))
    invalid.refuses(InvalidBody, "name", "nam")
    with pytest.raises(AssertionError, match="faults at"):
        invalid.refuses(InvalidBody, "name")


def test_another_stream_may_be_meant() -> None:
    some = given(Created(fields=LAGS), ("config/2", Created(fields=LAGS)))
    some.when(Delete(), stream="config/2").then(("config/2", Deleted()))
    assert some.state("config/2").status == "live"
    assert some.state("config/3").status == "absent"
