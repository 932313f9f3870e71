"""What can be asked of a table: its columns, as the query language sees them."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Date, DateTime, Float, Integer, Numeric, String, Table
from sqlalchemy.types import TypeEngine

from treering.errors import DeclarationError
from treering.query import Shape, Word

_ALWAYS = ("id", "created_at", "updated_at", "deleted_at", "tags")
"""What every entity has."""
_WORDS: tuple[tuple[type[TypeEngine[Any]], Word], ...] = (
    (String, "text"),
    (Integer, "integer"),
    (Float, "number"),
    (Numeric, "number"),
    (Boolean, "boolean"),
    (DateTime, "moment"),
    (Date, "date"),
    (JSON, "json"),
)


def shape_of(
    table: Table,
    *,
    filterable: Collection[str] | None = None,
    sortable: Collection[str] | None = None,
    searchable: Collection[str] = (),
) -> Shape:
    """Return what can be asked of *table*; columns that begin with an underscore are not shown."""
    words: dict[str, Word] = {}
    for column in table.columns:
        if not column.name.startswith("_"):
            words[str(column.name)] = _word(table, column)
    return Shape(
        words=words,
        filterable=_allowed(words, filterable),
        sortable=_allowed(words, sortable),
        searchable=sorted(searchable),
    )


def _word(table: Table, column: Column[Any]) -> Word:
    """Return what the values of *column* are to the query language."""
    for type_, word in _WORDS:
        if isinstance(column.type, type_):
            return word
    raise DeclarationError(
        f"{table.name}.{column.name} has the type {type(column.type).__name__}, of which nothing "
        "can be asked: use Text, or begin its name with '_' if nobody is to see it."
    )


def _allowed(words: Collection[str], said: Collection[str] | None) -> Collection[str]:
    return [name for name in words if said is None or name in said or name in _ALWAYS]
