"""Conditions on rows in memory, for what comes by itself: they hold where they would in SQL.

A comparison with what is not there is false; `ne`, `not_in` and `not` are what the others are not.
Texts are compared by code point.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from operator import ge, gt, le, lt
from typing import Any, TypeGuard, assert_never, cast

from treering.query.kinds import Word
from treering.query.options import Filter, FilterSpec
from treering.query.patterns import like

type Row = Mapping[str, Any]
type Matches = Callable[[Row], bool]
type Test = Callable[[Any], bool]

_SIDES: Mapping[str, Callable[[Any, Any], bool]] = {"gt": gt, "gte": ge, "lt": lt, "lte": le}
_PLACE = re.compile(r"-?[0-9]{1,9}")
_READ: Mapping[Word, Callable[[str], Any]] = {
    "moment": datetime.fromisoformat,
    "date": date.fromisoformat,
}
"""How JSON's texts of these kinds are read."""


def matching(filters: Sequence[Filter], words: Mapping[str, Word]) -> Matches:
    """Return what says whether a row has all that *filters* want; made once, called often.

    *words* are the kinds of the row's fields; one that is missing is None.
    """
    return _all([_made(each, words) for each in filters])


def _made(filter: Filter, words: Mapping[str, Word]) -> Matches:
    if isinstance(filter, FilterSpec):
        return _leaf(filter, words)
    parts = [_made(each, words) for each in filter.filters]
    match filter.joined:
        case "and":
            return _all(parts)
        case "or":
            return lambda row: any(each(row) for each in parts)
        case "not":
            return _opposite(_all(parts))
        case _:
            assert_never(filter.joined)


def _all(parts: Sequence[Matches]) -> Matches:
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        one, other = parts
        return lambda row: one(row) and other(row)
    return lambda row: all(each(row) for each in parts)


def _opposite[T](test: Callable[[T], bool]) -> Callable[[T], bool]:
    return lambda each: not test(each)


def _leaf(spec: FilterSpec, words: Mapping[str, Word]) -> Matches:
    head = spec.field.partition(".")[0]
    value = reader_of(spec.field, words)
    test = _document(spec) if words[head] == "json" else _plain(spec)
    return lambda row: test(value(row))


def reader_of(field: str, words: Mapping[str, Word]) -> Callable[[Row], Any]:
    """Return what reads *field*, a name or a path, of a row."""
    head, *path = field.split(".")
    if path:
        return lambda row: _within(row.get(head), path)
    if (read := _READ.get(words[head])) is None:
        return lambda row: row.get(head)

    def reading(row: Row) -> Any:
        value = row.get(head)
        return read(value) if isinstance(value, str) else value

    return reading


def _within(value: Any, path: Sequence[str]) -> Any:
    for part in path:
        if _is_object(value):
            value = value.get(part)
        elif _is_list(value) and _PLACE.fullmatch(part):
            place = int(part)
            value = value[place] if -len(value) <= place < len(value) else None
        else:
            return None
    return value


def _plain(spec: FilterSpec) -> Test:
    said = spec.value
    match spec.operator:
        case "eq":
            return lambda value: value == said
        case "ne":
            return lambda value: value != said
        case "in":
            return lambda value: value in said
        case "not_in":
            return lambda value: value not in said
        case "is_null":
            return lambda value: (value is None) is said
        case "between":
            return lambda value: value is not None and said[0] <= value <= said[1]
        case "gt" | "gte" | "lt" | "lte":
            side = _SIDES[spec.operator]
            return lambda value: value is not None and side(value, said)
        case _:
            return _written(spec)


def _document(spec: FilterSpec) -> Test:
    """Return a test of JSON, where what is not there is null."""
    said = spec.value
    match spec.operator:
        case "eq":
            return lambda value: same(value, said)
        case "ne":
            return lambda value: not same(value, said)
        case "in":
            return lambda value: any(same(value, each) for each in said)
        case "not_in":
            return lambda value: not any(same(value, each) for each in said)
        case "is_null":
            return lambda value: (value is None) is said
        case "between":
            return lambda value: _alike(value, said[0]) and said[0] <= value <= said[1]
        case "gt" | "gte" | "lt" | "lte":
            side = _SIDES[spec.operator]
            return lambda value: _alike(value, said) and side(value, said)
        case "contains":
            return lambda value: _holds(value, said)
        case _:
            return _written(spec)


def _written(spec: FilterSpec) -> Test:
    """Return a test of texts, which nothing else passes."""
    said: str = spec.value
    match spec.operator:
        case "contains":
            return lambda value: isinstance(value, str) and said in value
        case "starts_with":
            return lambda value: isinstance(value, str) and value.startswith(said)
        case "ilike":
            folded = like(said.lower())
            return lambda value: isinstance(value, str) and folded(value.lower())
        case _:
            pattern = like(said)
            return lambda value: isinstance(value, str) and pattern(value)


def same(one: Any, other: Any) -> bool:
    """Say whether two values are equal as JSON: true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if _is_list(one) and _is_list(other):
        return len(one) == len(other) and all(map(same, one, other))
    if _is_object(one) and _is_object(other):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return one == other


def _holds(value: Any, said: Any) -> bool:
    """Say whether *value* holds *said*: a text within a text, else as `@>` has it."""
    if isinstance(value, str) and isinstance(said, str):
        return said in value
    if _is_list(value) and not isinstance(said, list | dict):
        return any(same(each, said) for each in value)
    return _covers(value, said)


def _covers(value: Any, said: Any) -> bool:
    if _is_object(said):
        return _is_object(value) and all(
            key in value and _covers(value[key], each) for key, each in said.items()
        )
    if _is_list(said):
        return _is_list(value) and all(any(_covers(mine, each) for mine in value) for each in said)
    return same(value, said)


def _alike(value: Any, said: Any) -> bool:
    """Say whether both are numbers, or both are texts."""
    if isinstance(said, str):
        return isinstance(value, str)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def conditions_on(filters: Sequence[Filter]) -> Sequence[FilterSpec]:
    """Return the conditions that hold for every row which matches: those in no `or` and `not`."""
    found: list[FilterSpec] = []
    for each in filters:
        if isinstance(each, FilterSpec):
            found.append(each)
        elif each.joined == "and":
            found += conditions_on(each.filters)
    return found


def values_of(spec: FilterSpec) -> Sequence[Any] | None:
    """Return the only values that pass an equality; None if *spec* is another condition."""
    match spec.operator:
        case "eq":
            return [spec.value]
        case "in":
            return cast("Sequence[Any]", spec.value)
        case _:
            return None
