"""Which events somebody wants: conditions, and by what they can be found."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from treering.query import Filter, Matches, Word, conditions_on, matching, values_of

_RANKS = {"subject": 0, "id": 1, "position": 1, "command": 1, "type": 3, "kind": 4}
"""How many events an equality leaves, the fewest first; paths into the data come between."""
_ANY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is wanted, made once however many want the same."""

    key: bytes
    """The same for wishes that are spelled alike."""
    matches: Matches
    field: str | None = None
    """The field that has one of `values` in every event that matches; None if there is none."""
    values: Collection[Any] = ()


def wish_for(filters: Sequence[Filter], words: Mapping[str, Word]) -> Wish:
    """Return the wish for all that *filters* let through."""
    key, matches = msgspec.json.encode(filters), matching(filters, words)
    found = {
        each.field: {value_key(value) for value in values}
        for each in conditions_on(filters)
        if (values := values_of(each)) is not None and all(map(is_plain, values))
    }
    if not found:
        return Wish(key=key, matches=matches)
    field = min(found, key=lambda name: _RANKS.get(name, _ANY))
    return Wish(key=key, matches=matches, field=field, values=found[field])


def is_plain(value: object) -> bool:
    """Say whether *value* can be looked up: it is no list and no object."""
    return not isinstance(value, list | dict)


def value_key(value: Any) -> Any:
    """Return what *value* is looked up by: 1 is 1.0, and true is neither."""
    return (value,) if isinstance(value, bool) else value
