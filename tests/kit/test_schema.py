"""Shapes, revision by revision: which goes with the one before, and which does not."""

import msgspec
import pytest

from treering.errors import DeclarationError
from treering.schema import Schema, SchemaRegistry, described, differences, is_same, split

NAMED: Schema = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "rows": {"type": "integer", "default": 0}},
    "required": ["name"],
}


def shape(**fields: Schema) -> Schema:
    """Return the shape of NAMED with *fields* more."""
    return {**NAMED, "properties": {**NAMED["properties"], **fields}}


def said(new: Schema, *, is_shown: bool = False) -> dict[str, bool]:
    """Return in what *new* differs from NAMED, and whether that is compatible."""
    found = differences(NAMED, new, is_shown=is_shown)
    return {each.said: each.is_compatible for each in found}


def test_a_field_that_need_not_be_there_is_compatible() -> None:
    assert said(shape(unit={"type": "string"})) == {
        "has a new field 'unit', which need not be there": True
    }


def test_a_field_that_must_be_there_is_not_except_where_a_shape_is_only_shown() -> None:
    new = {**shape(unit={"type": "string"}), "required": ["name", "unit"]}
    assert said(new) == {"has a new field 'unit', which must be there": False}
    assert said(new, is_shown=True) == {"has a new field 'unit'": True}


def test_what_is_lost_changed_or_needed_is_named() -> None:
    new = {
        **NAMED,
        "properties": {"rows": {"type": "integer", "default": 1}},
        "required": ["rows"],
    }
    assert said(new) == {
        "changed its field 'rows'": False,
        "changed its field 'rows', which must be there now": False,
        "lost its field 'name'": False,
    }
    assert said({**NAMED, "required": []}) == {
        "changed its field 'name', which need not be there any more": False
    }


def test_words_to_people_change_nothing() -> None:
    new: Schema = {**NAMED, "title": "A name", "description": "Words", "examples": [{}]}
    assert is_same(NAMED, new)
    assert said(new) == {}


def test_a_model_that_fields_are_made_of_is_named() -> None:
    class Unit(msgspec.Struct):
        name: str

    class Older(msgspec.Struct):
        unit: Unit

    class Newer(Older):
        rows: int = 0

    old, new = msgspec.json.schema(Older), msgspec.json.schema(Newer)
    assert [each.said for each in differences(old, new)] == [
        "has a new field 'rows', which need not be there"
    ]
    unit = {**new["$defs"]["Unit"], "properties": {"title": {"type": "string"}}}
    new["$defs"]["Unit"] = {**unit, "required": ["title"]}
    assert "changed its model 'Unit', which lost its field 'name'" in [
        each.said for each in differences(old, new) if not each.is_compatible
    ]


def test_what_is_deprecated_is_the_next_revision_and_makes_all_of_them_old() -> None:
    found = SchemaRegistry()
    found.add("dataset.create.v1", NAMED)
    assert said({**NAMED, "deprecated": True}) == {"is deprecated": True}
    second = found.register("dataset.create.v1", lambda: {**NAMED, "deprecated": True})
    assert second is not None
    assert (second.id, second.deprecated) == ("dataset.create.v1.2", True)
    assert [each.deprecated for each in found.versions("dataset.create.v1")] == [True, True]


def test_a_revision_keeps_its_number_without_those_before_it() -> None:
    found = SchemaRegistry()
    assert found.add("dataset.create.v1", NAMED, number=2).id == "dataset.create.v1.2"
    assert found.revision("dataset.create.v1") == 2
    assert found.get("dataset.create.v1", 1) is None


def test_a_compatible_shape_is_the_next_revision_of_its_name() -> None:
    found = SchemaRegistry()
    found.add("dataset.create.v1", NAMED)
    assert found.register("dataset.create.v1", lambda: NAMED) is None
    second = found.register("dataset.create.v1", lambda: shape(unit={}))
    assert second is not None
    assert (second.id, second.version) == ("dataset.create.v1.2", 2)
    assert found.get("dataset.create.v1") == second
    first = found.get("dataset.create.v1", 1)
    assert first is not None
    assert (first.id, first.schema_json) == ("dataset.create.v1", NAMED)
    assert found.get("dataset.create.v1", 3) is None
    assert found.get("dataset.update.v1") is None
    assert found.get("dataset.update.v1", 1) is None


def test_another_shape_is_refused() -> None:
    found = SchemaRegistry()
    found.add("dataset.create.v1", NAMED)
    with pytest.raises(DeclarationError, match=r"dataset\.create\.v1 lost its field 'name'"):
        found.register("dataset.create.v1", lambda: {"properties": {}})


def test_the_first_shape_of_a_name_is_made_when_it_is_looked_at() -> None:
    made: list[str] = []

    def shape() -> Schema:
        made.append("made")
        return {**NAMED, "deprecated": True}

    found = SchemaRegistry()
    found.register("dataset.create.v1", shape)
    assert (found.revision("dataset.create.v1"), found.names(), made) == (
        1,
        ["dataset.create.v1"],
        [],
    )
    (first,) = found.versions("dataset.create.v1")
    assert (first.deprecated, made) == (True, ["made"])
    assert described(first) == {**NAMED, "$id": "dataset.create.v1", "deprecated": True}
    assert found.revision("other.create.v1") is None


def test_the_lowest_revision_that_knows_all_fields_expresses_them() -> None:
    found = SchemaRegistry()
    found.add("dataset.create.v1", NAMED)
    found.add("dataset.create.v1", shape(unit={}))
    found.add("dataset.create.v1", shape(unit={}, day={}))

    def lowest(*fields: str) -> int | None:
        version = found.expressing("dataset.create.v1", fields)
        return version and version.version

    assert (lowest("name"), lowest("unit"), lowest("name", "day")) == (1, 2, 3)
    assert lowest("nobody-knows") == 3
    assert found.expressing("dataset.update.v1", ()) is None


def test_an_id_is_a_name_with_its_number() -> None:
    assert split("dataset.create.v1.2") == ("dataset.create.v1", 2)
    assert split("dataset.create.v12") == ("dataset.create.v12", 1)
    assert split("dataset.create") is None
