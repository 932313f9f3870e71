"""Creating an entity."""

import pytest

from tests.domain.weather import RAIN, Dataset, given
from treering.entity import Create, Created, Deleted, Purged
from treering.errors import AlreadyExists, InvalidBody, IsPurged
from treering.testing import of


def test_a_create_fills_in_the_defaults() -> None:
    given().when(Create(fields={"name": "rain"})).then(Created(fields=RAIN))


def test_fields_are_stored_as_json_shows_them() -> None:
    fields = {"name": "rain", "rows": "3", "day": "2026-01-02", "area": {"north": 1}}
    stored = {**RAIN, "rows": 3, "day": "2026-01-02", "area": {"north": 1.0}}
    given().when(Create(fields=fields)).then(Created(fields=stored))


def test_the_id_may_be_said_if_it_is_the_subjects() -> None:
    about = of(Dataset, stream="dataset/rain")
    about().when(Create(fields={"id": "rain", "name": "rain"})).then(Created(fields=RAIN))


@pytest.mark.parametrize("said", ["snow", 7, None])
def test_another_id_than_the_subjects_is_refused(said: object) -> None:
    about = of(Dataset, stream="dataset/rain")
    create = Create(fields={"id": said, "name": "rain"})
    refusal = about().when(create).refuses(InvalidBody, "id")
    assert refusal.members["errors"][0]["type"] == "id_mismatch"


def test_what_exists_is_not_created_again() -> None:
    create = Create(fields={"name": "rain"})
    refusal = given(Created(fields=RAIN)).when(create).refuses(AlreadyExists)
    assert "update it" in refusal.detail
    assert refusal.members == {"status_now": "live"}


def test_what_was_deleted_is_restored_not_created() -> None:
    create = Create(fields={"name": "rain"})
    refusal = given(Created(fields=RAIN), Deleted()).when(create).refuses(AlreadyExists)
    assert "restore it" in refusal.detail
    assert refusal.members == {"status_now": "deleted"}


def test_what_was_purged_is_never_created_again() -> None:
    given(Created(fields=RAIN), Purged()).when(Create(fields={"name": "rain"})).refuses(IsPurged)


def test_every_fault_is_listed_at_once_with_its_path() -> None:
    fields = {"rows": -1, "area": {"north": "far"}, "sourze": "x", "tags": ["a b"]}
    refusal = (
        given()
        .when(Create(fields=fields))
        .refuses(InvalidBody, "name", "rows", "area.north", "sourze", "tags.0")
    )
    assert refusal.problem()["status"] == 422
    assert "(and 4 more)" in refusal.detail
