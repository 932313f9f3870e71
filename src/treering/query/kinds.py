"""The kinds of values that fields hold: what may be asked of each, and how a value is read."""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal, cast

import msgspec

from treering.query.options import Operator

type Word = Literal["text", "integer", "number", "boolean", "moment", "date", "json"]

_ALWAYS: tuple[Operator, ...] = ("eq", "ne", "in", "not_in", "is_null")
_ORDERED: tuple[Operator, ...] = (*_ALWAYS, "gt", "gte", "lt", "lte", "between")
_WRITTEN: tuple[Operator, ...] = (*_ORDERED, "like", "ilike", "contains", "starts_with")
_LARGEST = 2**63 - 1
_DEEPEST = 20


class Unreadable(ValueError):
    """It is not of the kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of value."""

    word: Word
    noun: str
    """What is expected, in words that end a sentence."""
    operators: Collection[Operator]
    spelled: Callable[[str], Any]
    """From a text, as addresses have it; raises ValueError."""
    said: Callable[[object], Any]
    """From JSON; raises ValueError."""


def _text(said: object) -> str:
    if not isinstance(said, str) or "\0" in said:
        raise Unreadable
    return said


def _integer(said: object) -> int:
    if isinstance(said, float) and said.is_integer():
        said = int(said)
    if isinstance(said, bool) or not isinstance(said, int) or abs(said) > _LARGEST:
        raise Unreadable
    return said


def _spelled_integer(text: str) -> int:
    if not (text.isascii() and len(text) <= 20 and "_" not in text):
        raise Unreadable
    return _integer(int(text))


def _number(said: object) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise Unreadable
    try:
        number = float(said)
    except OverflowError as error:
        raise Unreadable from error
    if not math.isfinite(number):
        raise Unreadable
    return number


def _spelled_number(text: str) -> float:
    if not text.isascii() or "_" in text:
        raise Unreadable
    return _number(float(text))


def _boolean(said: object) -> bool:
    if not isinstance(said, bool):
        raise Unreadable
    return said


def truth(text: str) -> bool:
    """Read a truth value; raises ValueError."""
    match text.lower():
        case "true" | "1":
            return True
        case "false" | "0":
            return False
        case _:
            raise ValueError("Is true or false")


def _moment(said: object) -> datetime:
    moment = datetime.fromisoformat(_text(said))
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise Unreadable from error


def _spelled_moment(text: str) -> datetime:
    """Read a moment in whose zone a plus may have become a space."""
    head, _, zone = text.rpartition(" ")
    return _moment(f"{head}+{zone}" if "T" in head or ":" in head else text)


def _date(said: object) -> date:
    return date.fromisoformat(_text(said))


def _json(said: object) -> Any:
    """Return *said* if a jsonb can be it."""
    _check_json(said, _DEEPEST)
    return said


def _check_json(said: object, deep: int) -> None:
    match said:
        case str():
            _text(said)
        case bool() | None:
            pass
        case int() | float():
            _number(said)
        case list() if deep:
            for each in cast("list[object]", said):
                _check_json(each, deep - 1)
        case dict() if deep:
            for name, each in cast("dict[object, object]", said).items():
                _check_json(name, deep)
                _check_json(each, deep - 1)
        case _:
            raise Unreadable


def _spelled_json(text: str) -> Any:
    """Read a text as the JSON that it is, or else as the string that it is."""
    try:
        return _json(msgspec.json.decode(text))
    except (msgspec.DecodeError, RecursionError):
        return _text(text)


KINDS: dict[Word, Kind] = {
    each.word: each
    for each in (
        Kind(word="text", noun="a text", operators=_WRITTEN, spelled=_text, said=_text),
        Kind(
            word="integer",
            noun="a whole number",
            operators=_ORDERED,
            spelled=_spelled_integer,
            said=_integer,
        ),
        Kind(
            word="number",
            noun="a number",
            operators=_ORDERED,
            spelled=_spelled_number,
            said=_number,
        ),
        Kind(
            word="boolean",
            noun="true or false",
            operators=_ALWAYS,
            spelled=truth,
            said=_boolean,
        ),
        Kind(
            word="moment",
            noun="a moment such as 2025-01-31T12:00:00Z",
            operators=_ORDERED,
            spelled=_spelled_moment,
            said=_moment,
        ),
        Kind(
            word="date",
            noun="a day such as 2025-01-31",
            operators=_ORDERED,
            spelled=_date,
            said=_date,
        ),
        Kind(
            word="json",
            noun="JSON",
            operators=_WRITTEN,
            spelled=_spelled_json,
            said=_json,
        ),
    )
}
