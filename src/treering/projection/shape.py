"""What can be asked of a table: its columns, as the query language sees them."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import JSON, Boolean, Date, DateTime, Float, Integer, Numeric, String, Table
from sqlalchemy.types import TypeEngine

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
            for type_, word in _WORDS:
                if isinstance(column.type, type_):
                    words[str(column.name)] = word
                    break
    return Shape(
        words=words,
        filterable=_allowed(words, filterable),
        sortable=_allowed(words, sortable),
        searchable=sorted(searchable),
    )


def _allowed(words: Collection[str], said: Collection[str] | None) -> Collection[str]:
    return [name for name in words if said is None or name in said or name in _ALWAYS]
