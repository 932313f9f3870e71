"""Conditions as SQL: always bound parameters, and true or false for every row, never unknown.

A comparison with what is not there is false; `ne`, `not_in` and `not` are what the others are not.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, assert_never

import msgspec
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Table,
    Text,
    and_,
    any_,
    bindparam,
    case,
    cast,
    collate,
    false,
    func,
    literal_column,
    not_,
    or_,
    true,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from treering.query import Filter, FilterSpec, Group

type Said = Mapping[str, Any]
"""Values by the names of their parameters."""

_CODE_POINTS = "C"
_NOTHING = literal_column("'null'::jsonb", JSONB)
_ITSELF = literal_column("'{}'::text[]", ARRAY(Text))
_SIDES: Mapping[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "gt": lambda one, other: one > other,
    "gte": lambda one, other: one >= other,
    "lt": lambda one, other: one < other,
    "lte": lambda one, other: one <= other,
}
_encode = msgspec.json.Encoder().encode


def structure_of(filters: Sequence[Filter]) -> Sequence[Any]:
    """Return what the SQL of *filters* depends on: all but the values."""
    return tuple(
        (each.joined, structure_of(each.filters))
        if isinstance(each, Group)
        else (each.field, each.operator, each.value is True, _typed(each))
        for each in filters
    )


def said(filters: Sequence[Filter], words: Mapping[str, str]) -> dict[str, Any]:
    """Return the values that *filters* say, by the names that `Conditions` gives them."""
    found: dict[str, Any] = {}
    for number, each in enumerate(_leaves(filters)):
        head, _, path = each.field.partition(".")
        found |= _values(each, f"c{number}", is_json=words[head] == "json")
        if path:
            found[f"c{number}p"] = path.split(".")
    return found


class Conditions:
    """Makes the conditions on one table; letters are folded by the collation called *folding*."""

    def __init__(self, table: Table, words: Mapping[str, str], folding: str) -> None:
        self._table = table
        self._words = words
        self._folding = folding
        self._numbers = iter(range(1_000_000))

    def all(self, filters: Sequence[Filter]) -> ColumnElement[bool]:
        """Return what holds where all of *filters* do."""
        return and_(true(), *(self._one(each) for each in filters))

    def _one(self, filter: Filter) -> ColumnElement[bool]:
        if isinstance(filter, FilterSpec):
            return self._leaf(filter)
        parts = [self._one(each) for each in filter.filters]
        match filter.joined:
            case "and":
                return and_(true(), *parts)
            case "or":
                return or_(false(), *parts)
            case "not":
                return and_(true(), *parts).is_not(true())
            case _:
                assert_never(filter.joined)

    def _leaf(self, spec: FilterSpec) -> ColumnElement[bool]:
        name = f"c{next(self._numbers)}"
        head, _, path = spec.field.partition(".")
        column = self._table.columns[head]
        if self._words[head] == "json":
            found = cast(column, JSONB)
            if path:
                found = found.op("#>", return_type=JSONB())(
                    cast(bindparam(f"{name}p"), ARRAY(Text))
                )
            return self._document(func.coalesce(found, _NOTHING, type_=JSONB), spec, name)
        return self._plain(column, spec, name)

    def _plain(
        self, column: ColumnElement[Any], spec: FilterSpec, name: str
    ) -> ColumnElement[bool]:
        type_: TypeEngine[Any] = Text() if self._words[spec.field] == "text" else column.type
        value = cast(bindparam(name), type_)
        match spec.operator:
            case "eq":
                return column == value
            case "ne":
                return (column == value).is_not(true())
            case "in":
                return column == any_(cast(bindparam(name), ARRAY(type_)))
            case "not_in":
                return (column == any_(cast(bindparam(name), ARRAY(type_)))).is_not(true())
            case "is_null":
                return column.is_(None) if spec.value else column.is_not(None)
            case "between":
                return column.between(value, cast(bindparam(f"{name}b"), type_))
            case "gt" | "gte" | "lt" | "lte":
                return _SIDES[spec.operator](column, value)
            case _:
                return self._written(column, spec, name)

    def _document(
        self, found: ColumnElement[Any], spec: FilterSpec, name: str
    ) -> ColumnElement[bool]:
        """Return a condition on JSON, where what is not there is null."""
        value = cast(bindparam(name), JSONB)
        match spec.operator:
            case "eq":
                return found == value
            case "ne":
                return found != value
            case "in":
                return found == any_(cast(bindparam(name), ARRAY(JSONB)))
            case "not_in":
                return not_(found == any_(cast(bindparam(name), ARRAY(JSONB))))
            case "is_null":
                return found == _NOTHING if spec.value else found != _NOTHING
            case "contains":
                holds = found.op("@>", is_comparison=True)(value)
                if not isinstance(spec.value, str):
                    return holds
                text = found.op("#>>", return_type=Text())(_ITSELF)
                within = text.like(cast(bindparam(f"{name}t"), Text))
                return case((_is("string", found), within), else_=holds)
            case "gt" | "gte" | "lt" | "lte" | "between":
                return self._compared(found, spec, name)
            case _:
                text = collate(found.op("#>>", return_type=Text())(_ITSELF), _CODE_POINTS)
                return _where("string", found, self._written(text, spec, name))

    def _compared(
        self, found: ColumnElement[Any], spec: FilterSpec, name: str
    ) -> ColumnElement[bool]:
        """Return a comparison of numbers with a number, or of texts with a text."""
        word = _typed(spec)
        text = word == "string"
        left = (
            collate(found.op("#>>", return_type=Text())(_ITSELF), _CODE_POINTS) if text else found
        )
        type_ = Text() if text else JSONB()
        value = cast(bindparam(name), type_)
        if spec.operator == "between":
            holds = left.between(value, cast(bindparam(f"{name}b"), type_))
        else:
            holds = _SIDES[spec.operator](left, value)
        return _where(word, found, holds)

    def _written(
        self, text: ColumnElement[Any], spec: FilterSpec, name: str
    ) -> ColumnElement[bool]:
        value = cast(bindparam(name), Text)
        match spec.operator:
            case "ilike":
                folded = func.lower(collate(text, self._folding))
                return folded.like(func.lower(collate(value, self._folding)))
            case "starts_with":
                return text.op("^@", is_comparison=True)(value)
            case _:
                return text.like(value)


def _where(word: str, found: ColumnElement[Any], holds: ColumnElement[bool]) -> ColumnElement[bool]:
    return case((_is(word, found), holds), else_=false())


def _is(word: str, found: ColumnElement[Any]) -> ColumnElement[bool]:
    return func.jsonb_typeof(found) == literal_column(f"'{word}'", Text)


def _typed(spec: FilterSpec) -> str:
    """Return the type of the JSON that is compared with."""
    value = spec.value[0] if spec.operator == "between" else spec.value
    return "string" if isinstance(value, str) else "number"


def _leaves(filters: Sequence[Filter]) -> Iterator[FilterSpec]:
    for each in filters:
        if isinstance(each, Group):
            yield from _leaves(each.filters)
        else:
            yield each


def _values(spec: FilterSpec, name: str, *, is_json: bool) -> Mapping[str, Any]:
    operator, value = spec.operator, spec.value
    if operator == "is_null":
        return {}
    if operator == "contains" and isinstance(value, str):
        pattern = f"%{_escaped(value)}%"
        return {name: _json(value), f"{name}t": pattern} if is_json else {name: pattern}
    if operator in ("like", "ilike", "starts_with"):
        return {name: value}
    encode = (
        _json
        if is_json
        and (operator not in ("gt", "gte", "lt", "lte", "between") or _typed(spec) == "number")
        else _same
    )
    if operator == "between":
        return {name: encode(value[0]), f"{name}b": encode(value[1])}
    if operator in ("in", "not_in"):
        return {name: [encode(each) for each in value]}
    return {name: encode(value)}


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _json(value: object) -> str:
    return _encode(value).decode()


def _same(value: object) -> object:
    return value
