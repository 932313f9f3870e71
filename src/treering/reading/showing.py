"""Rows as JSON text, built by PostgreSQL: the same values that outcomes and HTTP show."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Float,
    FromClause,
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

_ARGUMENTS = 90
"""Of one call; PostgreSQL takes a hundred."""


def shown(columns: Iterable[Column[Any]], found_in: FromClause | None = None) -> ColumnElement[str]:
    """Return the text of a row as an object, without what is not to be seen.

    The values are those of the *columns*, or of the ones called like them that are *found_in* rows.
    """
    seen = [column for column in columns if not column.name.startswith("_")]
    return _object(
        _Member(
            each.name,
            value_of(each if found_in is None else found_in.columns[each.name]),
            is_absent=each.info.get(ABSENT, False),
        )
        for each in seen
    )


def object_of(members: Mapping[str, ColumnElement[str]]) -> ColumnElement[str]:
    """Return the text of an object with JSON texts as its *members*; None is null."""
    return _object(_Member(name, value) for name, value in members.items())


def array_of(joined: ColumnElement[str]) -> ColumnElement[str]:
    """Return the text of an array of what is *joined* by commas."""
    return _concatenated([literal("["), joined, literal("]")])


@dataclass(frozen=True, slots=True)
class _Member:
    """A member of an object, whose value is JSON text."""

    name: str
    value: ColumnElement[str]
    is_absent: bool = False
    """Whether it is left out, instead of null, where there is no value."""

    def parts(self, before: str) -> Sequence[ColumnElement[str]]:
        """Return what it is joined of, with *before* it."""
        name = self.name.replace("\\", "\\\\").replace('"', '\\"')
        key = literal(f'{before}"{name}":')
        if self.is_absent:
            return [key + self.value]
        return [key, func.coalesce(self.value, literal("null"), type_=Text())]


def _object(members: Iterable[_Member]) -> ColumnElement[str]:
    """Return the text of an object; one comma too many is cut off if its first may be absent."""
    first, *rest = members
    following = [part for each in rest for part in each.parts(",")]
    if not first.is_absent:
        return _concatenated([*first.parts("{"), *following, literal("}")])
    joined = _concatenated([*first.parts(","), *following])
    begun = func.substr(joined, literal_column("2"), type_=Text())
    return _concatenated([literal("{"), begun, literal("}")])


def _concatenated(parts: Sequence[ColumnElement[str]]) -> ColumnElement[str]:
    """Return *parts* joined, without those that are null; cheaper than one `||` after another."""
    if len(parts) <= _ARGUMENTS:
        return func.concat(*parts, type_=Text())
    return _concatenated([_concatenated(few) for few in batched(parts, _ARGUMENTS)])


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
