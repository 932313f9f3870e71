"""Rows as JSON text, built by PostgreSQL: the same values that outcomes and HTTP show."""

from collections.abc import Iterable
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
    Table,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    null,
    select,
    true,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.sql import ClauseElement

from treering.errors import DeclarationError
from treering.projection.entity import ABSENT

_DIALECT = dialect()
_DELETED = "deleted_at"


def one(table: Table, *, include_deleted: bool) -> str:
    """Return the statement for the row whose only key column is the parameter."""
    key, *others = table.primary_key.columns
    if others:
        names = ", ".join(column.name for column in table.primary_key.columns)
        raise DeclarationError(f"{table.name} has the key {names}, not an id; list its rows.")
    said = cast(cast(bindparam("key"), Text), Text() if isinstance(key.type, String) else key.type)
    wanted = and_(key == said, _seen(table, include_deleted))
    return _sql(select(_object(table.columns)).where(wanted))


def some(table: Table, *, include_deleted: bool) -> str:
    """Return the statement for an array of rows in the order of the key, and how many there are.

    Its parameters are how many rows to show at most, None for all, and how many to pass over.
    """
    seen, order = _seen(table, include_deleted), [*table.primary_key.columns]
    total = select(func.count()).select_from(table).where(seen).scalar_subquery()
    page = (
        select(_object(table.columns).label("shown"), *order)
        .where(seen)
        .order_by(*order)
        .limit(cast(bindparam("limit"), Integer))
        .offset(cast(bindparam("offset"), Integer))
        .subquery("page")
    )
    keys = [page.c[column.name] for column in order]
    joined = func.string_agg(page.c.shown, aggregate_order_by(_text(","), *keys))
    array = func.concat(_text("["), joined, _text("]"))
    return _sql(select(array.label("items"), total.label("total")).select_from(page))


def _sql(statement: ClauseElement) -> str:
    return str(statement.compile(dialect=_DIALECT))


def _seen(table: Table, include_deleted: bool) -> ColumnElement[bool]:  # noqa: FBT001 - private
    if include_deleted or _DELETED not in table.columns:
        return true()
    return table.columns[_DELETED].is_(None)


def _object(columns: Iterable[Column[Any]]) -> ColumnElement[str]:
    """Return the text of an object; a comma stands before each key, and the first is cut off."""
    pairs = reduce(add, [_pair(column) for column in columns if not column.name.startswith("_")])
    return _text("{") + func.substr(pairs, literal_column("2"), type_=Text()) + _text("}")


def _pair(column: Column[Any]) -> ColumnElement[str]:
    name = column.name.replace("\\", "\\\\").replace('"', '\\"')
    key, value = _text(f',"{name}":'), _value(column)
    if column.info.get(ABSENT):
        return func.coalesce(key + value, _text(""), type_=Text())
    return key + func.coalesce(value, _text("null"), type_=Text())


def _value(column: Column[Any]) -> ColumnElement[str]:
    """Return the column's JSON; null if it is."""
    type_, text = column.type, cast(column, Text)
    if isinstance(type_, JSON | Boolean | Integer):
        return text
    if isinstance(type_, Float | Numeric):
        return _number(text)
    if isinstance(type_, DateTime):
        utc = func.timezone(_text("UTC"), column) if type_.timezone else column
        return _moment(utc, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    if isinstance(type_, Date):
        return _moment(column, "YYYY-MM-DD")
    return cast(func.to_json(column if isinstance(type_, String) else text), Text)


def _moment(moment: ColumnElement[Any], form: str) -> ColumnElement[str]:
    return _text('"') + func.to_char(moment, _text(form), type_=Text()) + _text('"')


def _number(text: ColumnElement[str]) -> ColumnElement[str]:
    """Return a number that is seen not to be whole; what JSON has no word for is null."""
    return case(
        (text.is_(None), null()),
        (text.op("~")(_text(r"^-?\d+$")), text + _text(".0")),
        (text.op("~")(_text(r"^-?\d")), text),
        else_=_text("null"),
    )


def _text(value: str) -> ColumnElement[str]:
    return literal_column("'" + value.replace("'", "''") + "'", Text)
