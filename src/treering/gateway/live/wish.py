"""Which events somebody wants: conditions, and by what those who want an event are found."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from treering.query import Filter, FilterSpec, Matches, Word, conditions_on, matching, values_of

_RANKS = {"subject": 0, "id": 1, "position": 1, "command": 1, "type": 4, "kind": 5}
"""How many events an equality leaves, the fewest first; paths into the data come between."""
_DATA = 2
_RANGE = 3
_LOW = ("gt", "gte", "between")
_HIGH = ("lt", "lte")


@dataclass(frozen=True, slots=True)
class Equal:
    """Every event that matches has one of *values* in *field*."""

    field: str
    values: Collection[Any]


@dataclass(frozen=True, slots=True)
class Beyond:
    """What every event that matches has in *field* is *bound* or lies beyond it."""

    field: str
    bound: Any
    is_low: bool
    """Whether the bound is the lowest, not the highest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is wanted, made once however many want the same."""

    key: bytes
    """The same for wishes that are spelled alike."""
    matches: Matches
    place: Equal | Beyond | None
    """Where it is found; None if it has to be tried with every event."""


def wish_for(filters: Sequence[Filter], words: Mapping[str, Word]) -> Wish:
    """Return the wish for all that *filters* let through."""
    places: dict[int, Equal | Beyond] = {}
    for each in conditions_on(filters):
        if (ranked := _place(each)) is not None:
            places.setdefault(*ranked)
    return Wish(
        key=msgspec.json.encode(filters),
        matches=matching(filters, words),
        place=places[min(places)] if places else None,
    )


def _place(spec: FilterSpec) -> tuple[int, Equal | Beyond] | None:
    """Return where events are found that meet a condition, and how few that leaves."""
    is_data = spec.field.startswith("data")
    values = values_of(spec)
    if values is not None and all(map(is_plain, values)):
        rank = _RANKS.get(spec.field, _DATA)
        return rank, Equal(spec.field, {value_key(value) for value in values})
    if is_data and spec.operator in _LOW:
        bound = spec.value[0] if spec.operator == "between" else spec.value
        return _RANGE, Beyond(spec.field, bound, is_low=True)
    if is_data and spec.operator in _HIGH:
        return _RANGE, Beyond(spec.field, spec.value, is_low=False)
    return None


def is_plain(value: object) -> bool:
    """Say whether *value* can be looked up: it is no list and no object."""
    return not isinstance(value, list | dict)


def value_key(value: Any) -> Any:
    """Return what *value* is looked up by: 1 is 1.0, and true is neither."""
    return (value,) if isinstance(value, bool) else value
