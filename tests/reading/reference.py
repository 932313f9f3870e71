"""What the query language means, said a second time and plainly, over rows in memory."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cmp_to_key
from operator import ge, gt, le, lt
from typing import Any, TypeGuard

from treering.query import Filter, Group, SortSpec

type Row = Mapping[str, Any]


def found(
    rows: Iterable[Row], filters: Sequence[Filter], order: Sequence[SortSpec], search: str = ""
) -> list[str]:
    """Return the ids of the rows that match, in order."""
    matching = [
        row for row in rows if all(holds(row, each) for each in filters) and has_words(row, search)
    ]
    ordered = sorted(matching, key=lambda row: row["id"])
    for step in reversed(order):
        ordered.sort(key=cmp_to_key(lambda one, other, step=step: _compared(one, other, step)))
    return [row["id"] for row in ordered]


def holds(row: Row, filter: Filter) -> bool:
    """Say whether *filter* holds for *row*."""
    if isinstance(filter, Group):
        each = [holds(row, part) for part in filter.filters]
        return {"and": all(each), "or": any(each), "not": not all(each)}[filter.joined]
    value = _value(row, filter.field)
    match filter.operator:
        case "ne":
            return not _leaf(value, "eq", filter.value)
        case "not_in":
            return not _leaf(value, "in", filter.value)
        case operator:
            return _leaf(value, operator, filter.value)


def _value(row: Row, path: str) -> Any:
    head, *parts = path.split(".")
    value = row[head]
    for part in parts:
        if _is_object(value):
            value = value.get(part)
        elif _is_list(value) and re.fullmatch(r"-?\d+", part):
            place = int(part)
            value = value[place] if -len(value) <= place < len(value) else None
        else:
            return None
    return value


def _leaf(value: Any, operator: str, said: Any) -> bool:
    match operator:
        case "is_null":
            return (value is None) is said
        case "in":
            return any(same(value, each) for each in said)
        case "eq":
            return same(value, said)
        case "contains" if not (isinstance(value, str) and isinstance(said, str)):
            return contains(value, said)
        case "between":
            return all(_alike(value, each) for each in said) and said[0] <= value <= said[1]
        case _:
            return _alike(value, said) and _TWO[operator](value, said)


def has_words(row: Row, search: str) -> bool:
    """Say whether each word of *search* is one of the row's, or begins one."""
    there = [word for name in ("name", "data") for word in _words(row[name])]
    return all(any(each.startswith(word) for each in there) for word in _words(search))


def _words(value: Any) -> list[str]:
    if _is_object(value):
        return [word for each in value.values() for word in _words(each)]
    if _is_list(value):
        return [word for each in value for word in _words(each)]
    plain = value.lower().replace("é", "e") if isinstance(value, str) else ""
    return re.findall(r"[a-z0-9ж]+", plain)


def same(one: Any, other: Any) -> bool:
    """Say whether two values are equal; unlike Python's, true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if _is_list(one) and _is_list(other):
        return len(one) == len(other) and all(map(same, one, other))
    if _is_object(one) and _is_object(other):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return one == other


def contains(value: Any, said: Any, *, top: bool = True) -> bool:
    """Say whether *value* holds all that *said* does, as PostgreSQL's `@>` does."""
    if _is_object(said):
        return _is_object(value) and all(
            key in value and contains(value[key], each, top=False) for key, each in said.items()
        )
    if _is_list(said):
        return _is_list(value) and all(
            any(contains(mine, each, top=False) for mine in value) for each in said
        )
    if _is_list(value) and top:
        return any(same(mine, said) for mine in value)
    return same(value, said)


def like(value: str, pattern: str) -> bool:
    """Say whether *value* is as *pattern* says: % is any text, _ any character."""
    parts: list[str] = re.findall(r"\\.|.", pattern, re.DOTALL)
    words = {"%": ".*", "_": "."}
    made = "".join(words.get(part) or re.escape(part[-1]) for part in parts)
    return re.fullmatch(made, value, re.DOTALL) is not None


_TWO: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": gt,
    "gte": ge,
    "lt": lt,
    "lte": le,
    "like": like,
    "ilike": lambda value, said: like(value.lower(), said.lower()),
    "contains": lambda value, said: said in value,
    "starts_with": str.startswith,
}


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _alike(one: Any, other: Any) -> bool:
    if one is None:
        return False
    numbers = [
        isinstance(each, int | float) and not isinstance(each, bool) for each in (one, other)
    ]
    return all(numbers) or (not any(numbers) and type(one) is type(other))


def _compared(one: Row, other: Row, step: SortSpec) -> int:
    mine, theirs = _comparable(one, step.field), _comparable(other, step.field)
    if mine is None or theirs is None:
        absent = (mine is None) - (theirs is None)
        return -absent if step.nulls_first else absent
    return ((mine > theirs) - (mine < theirs)) * (-1 if step.descending else 1)


def _comparable(row: Row, path: str) -> Any:
    """Return what rows are ordered by: of JSON first its kind, then itself."""
    value = _value(row, path)
    if "." not in path or value is None:
        return value
    if isinstance(value, bool):
        return 2, json.dumps(value)
    if isinstance(value, int | float):
        return 0, value
    if isinstance(value, str):
        return 1, value
    return 3 if _is_list(value) else 4, json.dumps(value)
