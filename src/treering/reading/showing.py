"""Rows as JSON text, built by PostgreSQL: the same values that outcomes and HTTP show."""

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import add
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Float,
    Integer,
    Numeric,
    String,
    Text,
    case,
    cast,
    func,
    literal_column,
    null,
)  # fmt: skip

from treering.projection.entity import ABSENT


def shown(columns: Iterable[Column[Any]]) -> ColumnElement[str]:
    """Return the text of a row as an object, without what is not to be seen."""
    seen = [column for column in columns if not column.name.startswith("_")]
    return _object(
        _pair(each.name, value_of(each), is_absent=each.info.get(ABSENT, False)) for each in seen
    )


def object_of(members: Mapping[str, ColumnElement[str]]) -> ColumnElement[str]:
    """Return the text of an object with JSON texts as its *members*; None is null."""
    return _object(_pair(name, value, is_absent=False) for name, value in members.items())


def array_of(joined: ColumnElement[str]) -> ColumnElement[str]:
    """Return the text of an array of what is *joined* by commas."""
    return func.concat(literal("["), joined, literal("]"), type_=Text())


def _object(pairs: Iterable[ColumnElement[str]]) -> ColumnElement[str]:
    """Return the text of an object; a comma stands before each key, and the first is cut off."""
    joined = reduce(add, pairs)
    return literal("{") + func.substr(joined, literal_column("2"), type_=Text()) + literal("}")


def _pair(name: str, value: ColumnElement[str], *, is_absent: bool) -> ColumnElement[str]:
    key = name.replace("\\", "\\\\").replace('"', '\\"')
    written = literal(f',"{key}":') + value
    if is_absent:
        return func.coalesce(written, literal(""), type_=Text())
    return literal(f',"{key}":') + func.coalesce(value, literal("null"), type_=Text())


def value_of(column: ColumnElement[Any]) -> ColumnElement[str]:
    """Return the column's JSON; null if it is."""
    type_, text = column.type, cast(column, Text)
    if isinstance(type_, JSON | Boolean | Integer):
        return text
    if isinstance(type_, Float | Numeric):
        return _number(text)
    if isinstance(type_, DateTime | Date):
        return literal('"') + _moment(column) + literal('"')
    return cast(func.to_json(column if isinstance(type_, String) else text), Text)


def plain_of(column: Column[Any]) -> ColumnElement[Any]:
    """Return the column as it stands in a table: as in JSON, but for the quotes of texts."""
    type_ = column.type
    if isinstance(type_, DateTime | Date):
        return _moment(column)
    return column if isinstance(type_, String) else value_of(column)


def _moment(column: ColumnElement[Any]) -> ColumnElement[str]:
    type_ = column.type
    if isinstance(type_, DateTime):
        utc = func.timezone(literal("UTC"), column) if type_.timezone else column
        return func.to_char(utc, literal('YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), type_=Text())
    return func.to_char(column, literal("YYYY-MM-DD"), type_=Text())


def _number(text: ColumnElement[str]) -> ColumnElement[str]:
    """Return a number that is seen not to be whole; what JSON has no word for is null."""
    return case(
        (text.is_(None), null()),
        (text.op("~")(literal(r"^-?\d+$")), text + literal(".0")),
        (text.op("~")(literal(r"^-?\d")), text),
        else_=literal("null"),
    )


def literal(value: str) -> ColumnElement[str]:
    """Return *value* as it stands in a statement."""
    return literal_column("'" + value.replace("'", "''") + "'", Text)
