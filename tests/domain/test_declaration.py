"""Declarations: what follows from a class line, and what is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from tests.domain.weather import Dataset, Station
from treering.entity import Entity
from treering.errors import DeclarationError


@pytest.mark.parametrize(
    ("name", "kind", "plural"),
    [
        ("Dataset", "dataset", "datasets"),
        ("LagModel", "lag-model", "lag-models"),
        ("HTTPProxy", "http-proxy", "http-proxies"),
        ("Day", "day", "days"),
        ("Series", "series", "serieses"),
        ("Box", "box", "boxes"),
        ("Batch", "batch", "batches"),
        ("Bush", "bush", "bushes"),
    ],
)
def test_kind_and_plural_follow_from_the_name(name: str, kind: str, plural: str) -> None:
    made = type(name, (Entity,), {})
    assert (made.declaration.kind, made.declaration.plural) == (kind, plural)


def test_kind_and_plural_may_be_said() -> None:
    class Thing(Entity, kind="item", plural="stuff"):
        pass

    assert (Thing.declaration.kind, Thing.declaration.plural) == ("item", "stuff")


def test_the_class_line_says_what_the_kind_allows() -> None:
    said = Station.declaration
    assert (said.ids, said.frees_keys) == ("any", True)
    assert list(said.unique) == [("country", "code"), "name"]
    assert Dataset.declaration.sortable == {"name", "rows"}
    assert Dataset.decider().creates == {"dataset.create.v1", "dataset.bulk.v1"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"kind": "Not Kebab"}, "is no kind"),
        ({"kind": "-x"}, "is no kind"),
        ({"ids": "uuid"}, "ids is 'any' or 'ulid'"),
        ({"unique": "name"}, "unique is a set of names: {'name'}"),
        (
            {"unique": {"nam"}},
            "unique names 'nam', which is no field of its own; did you mean 'name'",
        ),
        ({"unique": {"id"}}, "unique names 'id', which is no field of its own"),
        ({"unique": {("name", "created_at")}}, "unique names 'created_at'"),
        ({"references": {"deleted_at": "dataset"}}, "references names 'deleted_at'"),
        ({"unique": {("name", "nam")}}, "unique names 'nam'"),
        ({"searchable": {"nam"}}, "searchable names 'nam'"),
        ({"sortable": {"nam"}}, "sortable names 'nam'"),
        ({"filterable": "name"}, "filterable is a set"),
        ({"formerly": "names"}, "formerly is a set of names: {'names'}"),
        ({"formerly": {"Old/Names "}}, "'Old/Names ' was no address"),
        ({"plural": "old-names", "formerly": {"old-names"}}, "which is its plural today"),
    ],
)
def test_a_class_line_that_cannot_be_is_refused_in_words(
    options: dict[str, Any], told: str
) -> None:
    with pytest.raises(DeclarationError, match=told):

        class Thing(Entity, **options):  # pyright: ignore[reportUnusedClass]
            name: str


def test_times_and_ids_may_be_sorted_by_but_not_declared() -> None:
    class Sorted(Entity, sortable={"created_at", "id"}):  # pyright: ignore[reportUnusedClass]
        name: str

    with pytest.raises(DeclarationError, match="created_at is there already"):

        class Thing(Entity):  # pyright: ignore[reportUnusedClass]
            created_at: str


def test_an_entity_is_frozen_and_takes_no_unknown_fields() -> None:
    made = Dataset(name="rain")
    with pytest.raises(ValidationError):
        made.name = "snow"  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(ValidationError):
        Dataset.model_validate({"name": "rain", "nam": "x"})


def test_an_entity_may_derive_from_another() -> None:
    class Shared(Entity):
        owner: str

    class Derived(Shared, unique={"owner"}):
        name: str

    assert Shared.declaration.kind == "shared"
    assert list(Derived.model_fields) == ["tags", "owner", "name"]
    assert Derived.declaration.unique == {"owner"}


def test_schemas_say_what_a_body_holds() -> None:
    decider = Dataset.decider()
    types = {each.name: each.schema() for each in (*decider.command_types, *decider.event_types)}
    create = types["dataset.create.v1"]
    assert (create["title"], create["required"]) == ("dataset create", ["name"])
    assert list(create["properties"])[:2] == ["id", "tags"]
    assert create["additionalProperties"] is False
    assert "required" not in types["dataset.update.v1"]
    assert "required" not in types["dataset.patch.v1"]
    assert "required" not in types["dataset.updated.v1"]
    assert types["dataset.created.v1"]["additionalProperties"] is True
    assert types["dataset.replace.v1"]["required"] == ["name"]
    assert types["dataset.tag.v1"]["required"] == ["tags"]
    assert types["dataset.delete.v1"]["properties"] == {}


def test_rules_follow_from_the_class_line() -> None:
    class Reading(Entity, references={"at": Station, "of": "dataset"}):
        at: str
        of: str | None = None

    assert Reading.declaration.references == {"at": "station", "of": "dataset"}
    rules = ["references station in at", "references dataset in of"]
    assert Reading.decider().rules == rules
    frees = ["unique country+code frees", "unique name frees"]
    assert sorted(Station.decider().rules) == frees
    assert Dataset.decider().exists is not None


def test_a_reference_is_a_field_and_a_kind() -> None:
    with pytest.raises(DeclarationError, match="references is a mapping of fields to kinds"):
        type("Reading", (Entity,), {}, references={"tank"})
    for parent in (str, Entity, 3):
        with pytest.raises(DeclarationError, match="references say of 'tags' an entity or"):
            type("Reading", (Entity,), {}, references={"tags": parent})
    with pytest.raises(DeclarationError, match="references names 'tank', which is no field"):
        type("Reading", (Entity,), {}, references={"tank": "tank"})
