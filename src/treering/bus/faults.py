"""What is wrong with a body that does not fit its type: every fault, with its path."""

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, cast

import msgspec

from treering.bus.envelope import NO_JSON
from treering.entity.validation import MOST_FAULTS, fault, invalid, nearest
from treering.errors import DeadLetter
from treering.message import Command, Malformed

_MESSAGE = re.compile(r"(?s)(?P<text>.*?)(?: - at `(?P<path>.*)`)?")
_PART = re.compile(r"\.([^.\[]+)|\[(\d+)\]")


def malformed(body: type[Command], raw: bytes, error: Exception) -> Malformed:
    """Return the command that will be refused because *raw* is no *body*.

    Raises DeadLetter if *raw* is no JSON object at all: then nobody can tell what was meant.
    """
    found = _object(raw)
    faults = _faults(body, found) or [_fault((), error)]
    refusal = invalid(faults)
    return Malformed(detail=refusal.detail, errors=refusal.members["errors"])


def _object(raw: bytes) -> Mapping[str, Any]:
    if not raw.strip():
        raise DeadLetter("not-json", "The value is empty; send a JSON object, such as {}.")
    try:
        found: Any = msgspec.json.decode(raw)
    except NO_JSON as error:
        raise DeadLetter("not-json", f"The value is no JSON: {error}.") from None
    if not isinstance(found, dict):
        raise DeadLetter("not-an-object", "The value is JSON, but not an object.")
    return cast("Mapping[str, Any]", found)


def _faults(body: type[Command], found: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(body)}
    faults: list[Mapping[str, Any]] = []
    for name in islice((name for name in found if name not in fields), MOST_FAULTS):
        near = nearest(name, [*fields])
        faults.append(fault((name,), "extra_forbidden", "Unknown field", found[name], near=near))
    for name, field in fields.items():
        if name not in found:
            if field.required:
                faults.append(fault((name,), "missing", "Field required"))
            continue
        try:
            msgspec.convert(found[name], field.type)
        except msgspec.ValidationError as error:
            faults.append(_fault((name,), error, found[name]))
    return faults


def _fault(loc: Sequence[str], error: Exception, value: object = None) -> Mapping[str, Any]:
    match = cast("re.Match[str]", _MESSAGE.fullmatch(str(error)))
    within = [
        int(number) if number else name for name, number in _PART.findall(match["path"] or "")
    ]
    return fault([*loc, *within], "wrong_type", match["text"], value)
