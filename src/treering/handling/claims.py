"""What streams claim for themselves, keys and references, and why they may not have it."""

from collections.abc import Mapping
from typing import Any

from treering.errors import IsReferred, KeyTaken, ReferenceMissing, Refusal
from treering.message import Stream, id_of
from treering.rulebook import Holding
from treering.store import Hindered, Key, Trouble

CLAIMS = frozenset({"taken", "missing", "referred"})
"""The words of troubles that a command has with what others hold."""
_MOST = 1000


def moves(before: Mapping[Stream, Holding], after: Mapping[Stream, Holding]) -> dict[str, Any]:
    """Return what a request moves between *before* and *after*, by its fields' names."""
    found: dict[str, list[Any]] = {"released": [], "taken": [], "dropped": [], "made": []}
    for stream, now in after.items():
        was = before[stream]
        found["released"] += [Key(key, stream) for key in sorted(was.keys - now.keys)]
        found["taken"] += [Key(key, stream) for key in sorted(now.keys - was.keys)]
        found["dropped"] += sorted(was.references - now.references)
        found["made"] += sorted(now.references - was.references)
    return found


def shared(moved: Mapping[Stream, Holding]) -> KeyTaken | None:
    """Return the refusal of a command that gives one unique key to two streams."""
    holders: dict[str, Stream] = {}
    for stream, holding in moved.items():
        for key in sorted(holding.keys):
            if (holder := holders.setdefault(key, stream)) != stream:
                said = f"{holder} and {stream} cannot both have {key}; choose another value."
                return KeyTaken(said, key=key, holder=holder)
    return None


def others(answer: Hindered) -> list[Stream]:
    """Return the streams for whose sake *answer* is a no."""
    return [
        trouble.name if trouble.word == "missing" else str(trouble.holder)
        for trouble in answer.troubles
    ]


def refusal(answer: Hindered) -> Refusal:
    """Return why a command may not have what it claims."""
    trouble = answer.troubles[0]
    name, holder = trouble.name, trouble.holder
    if trouble.word == "missing":
        return ReferenceMissing(
            f"{trouble.field}: {name} is not there; create or restore it first, or name another.",
            field=trouble.field,
            value=id_of(name),
            missing=name,
        )
    if trouble.word == "referred":
        return IsReferred(
            f"{_number(trouble)} to {name}, such as {holder}; have them name another, or delete "
            "them, first.",
            count=min(trouble.count, _MOST),
            example=holder,
        )
    said = f"{holder} holds {name} already; choose another value."
    return KeyTaken(said, key=name, holder=holder)


def _number(trouble: Trouble) -> str:
    if trouble.count > _MOST:
        return f"More than {_MOST} refer"
    return "1 refers" if trouble.count == 1 else f"{trouble.count} refer"
