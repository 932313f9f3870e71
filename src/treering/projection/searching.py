"""Full-text search: what a table is searched by, and how well a row fits."""

from collections.abc import Collection, Sequence
from functools import reduce

from sqlalchemy import (
    REAL,
    Column,
    ColumnElement,
    Index,
    Table,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import REGCONFIG, TSQUERY, TSVECTOR

PREFIX = "_search_"
"""Columns that hold the words of others begin with it."""
_SIMPLE = literal_column("'simple'", REGCONFIG)
_SPACE = literal_column("' '", Text)
_NOTHING = literal_column("''", Text)


def column_for(name: str) -> Column[str]:
    """Return the column that holds the words of the column called *name*."""
    return Column(f"{PREFIX}{name}", Text)


def index_for(columns: Sequence[Column[str]]) -> Index:
    """Return the index by which *columns* are searched."""
    return Index("search", _vector(columns), postgresql_using="gin")


def found(table: Table, searched: Collection[str]) -> ColumnElement[bool]:
    """Return what holds for rows that have all words, or ones that begin with them."""
    return _vector(_columns(table, searched)).op("@@", is_comparison=True)(_query())


def rank(table: Table, searched: Collection[str]) -> ColumnElement[float]:
    """Return how well a row fits; the parameter is the same, `s`."""
    return cast(func.ts_rank(_vector(_columns(table, searched)), _query()), REAL)


def asked_words(words: Sequence[str]) -> str:
    """Return the value of the parameter."""
    return " & ".join(f"'{word}':*" for word in words)


def _columns(table: Table, searched: Collection[str]) -> Sequence[Column[str]]:
    return [table.columns[name] for name in searched]


def _vector(columns: Sequence[Column[str]]) -> ColumnElement[object]:
    texts = [func.coalesce(column, _NOTHING, type_=Text()) for column in columns]
    return func.to_tsvector(_SIMPLE, reduce(_joined, texts), type_=TSVECTOR())


def _joined(one: ColumnElement[str], other: ColumnElement[str]) -> ColumnElement[str]:
    return one + _SPACE + other


def _query() -> ColumnElement[object]:
    return func.to_tsquery(_SIMPLE, cast(bindparam("s"), Text), type_=TSQUERY())
