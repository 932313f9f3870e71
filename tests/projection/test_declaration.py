"""Declaring a read model: what could not be built is refused, what it is made of is its version."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Enum,
    ForeignKey,
    MetaData,
    Table,
    Text,
    Uuid,
)  # fmt: skip

from tests.projection.world import PARCELS, Parcel, counts
from treering.errors import DeclarationError
from treering.projection import Projection
from treering.projection.declaration import check_apart
from treering.query import ReservedName

MODULE = """
from sqlalchemy import Column, MetaData, Table, Text
from treering.projection import projection, put

names = Table("names", MetaData(), Column("name", Text, primary_key=True))

@projection("names", tables=[names], kinds={"parcel"})
def names_there_are(recorded):
    yield put(names, {"name": recorded.event.fields["name"]})
"""


def table(name: str = "names", *columns: Any) -> Table:
    return Table(name, MetaData(), Column("name", Text, primary_key=True), *columns)


def declared(**said: Any) -> Projection:
    options: dict[str, Any] = {"name": "names", "tables": [counts], "kinds": {"parcel"}}
    return Projection(fold=lambda _: (), **options | said)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"name": "All Names"}, "is no name"),
        ({"kinds": "parcel"}, "a set of kinds"),
        ({"kinds": set[str]()}, "a set of kinds"),
        ({"tables": []}, "at least one table"),
        ({"tables": [Table("t", MetaData(), Column("name", Text))]}, "no primary key"),
        ({"tables": [table("projection")]}, "plain name"),
        ({"tables": [table("n" * 46)]}, "plain name"),
        ({"tables": [table("n", Column("n", BigInteger, default=0))]}, "has a default"),
        ({"tables": [table("n", Column("n", BigInteger, server_default="0"))]}, "has a default"),
        ({"tables": [table("n", Column("n", ARRAY(Text)))]}, "a type of its own"),
        ({"tables": [table("n", Column("n", Enum("a", "b")))]}, "a type of its own"),
        ({"tables": [table("n", Column("n", Uuid))]}, "n.n has the type Uuid"),
        ({"tables": [table("n", Column("n", Text, ForeignKey("names.name")))]}, "refers to"),
    ],
)
def test_what_could_not_be_built_is_refused(said: dict[str, Any], why: str) -> None:
    with pytest.raises(DeclarationError, match=why):
        declared(**said)


def test_a_field_that_is_called_like_a_parameter_is_warned_of() -> None:
    sized = table("sizes", Column("size", BigInteger))
    with pytest.warns(ReservedName, match=r"`\?size=`.*`size\[eq\]=`"):
        declared(name="sizes", tables=[sized])
    declared(name="sizes", tables=[sized], filterable={"name"})


def test_the_read_model_of_an_entity_is_named_after_its_plural() -> None:
    assert (PARCELS.name, PARCELS.tables[0].name, PARCELS.kinds) == (
        "parcels",
        "parcels",
        {"parcel"},
    )
    assert Projection.of(Parcel, "sent-parcels").tables[0].name == "sent_parcels"


@pytest.mark.parametrize(
    ("old", "new", "is_another"),
    [
        ("", "", False),
        ("    yield", '    """Say names."""\n    # one each\n    yield', False),
        ("names_there_are", "all_names", True),
        ('recorded.event.fields["name"]', '"x"', True),
        ("primary_key=True)", 'primary_key=True), Column("more", Text)', True),
        ("primary_key=True)", "primary_key=True, index=True)", True),
    ],
)
def test_another_version_is_what_has_other_tables_or_other_code(
    old: str, new: str, *, is_another: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = {
        loaded(source, tmp_path, name, monkeypatch).version
        for name, source in {"before": MODULE, "after": MODULE.replace(old, new, 1)}.items()
    }
    assert (len(versions) > 1) == is_another


def loaded(source: str, folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Projection:
    """Return the read model that the file *name* declares."""
    file = folder / f"{name}.py"
    file.write_text(source)
    module = ModuleType(name)
    module.__file__ = str(file)
    monkeypatch.setitem(sys.modules, name, module)
    exec(compile(source, file, "exec"), module.__dict__)  # noqa: S102 - as an import does
    (found,) = [each for each in vars(module).values() if isinstance(each, Projection)]
    return found


def test_the_version_of_an_entitys_read_model_is_that_of_its_columns() -> None:
    class Other(Parcel, kind="parcel"):
        """The same fields."""

    class Wider(Parcel, kind="parcel"):
        width: float

    assert Projection.of(Other).version == PARCELS.version
    assert Projection.of(Wider).version != PARCELS.version


def test_two_read_models_share_neither_name_nor_table() -> None:
    with pytest.raises(DeclarationError, match="called 'names'"):
        check_apart([declared(), declared(tables=[table("others")])])
    with pytest.raises(DeclarationError, match="both have a table 'counts'"):
        check_apart([declared(), declared(name="others")])


def test_a_fold_without_a_file_has_a_version_too() -> None:
    folds = [eval(f"lambda recorded: {body}", {}) for body in ("()", "()", "[recorded]")]  # noqa: S307
    one, same, other = (
        Projection(name="names", tables=[counts], fold=fold, kinds={"parcel"}).version
        for fold in folds
    )
    assert one == same != other
