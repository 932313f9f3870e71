"""Fields against the entity's model: either all is well, or every fault is named at once."""

import difflib
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from treering.errors import InvalidBody

_EMPTY = (list, dict, set, frozenset, tuple)
"""What makes the same each time."""
_LARGEST = 2**63 - 1
_SHOWN = 200
MOST_FAULTS = 100
"""Faults that are named; there may be more."""


def validated(model: type[BaseModel], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return *fields* as the model understands them, with defaults, ready for JSON.

    Moments are those of all clients: in UTC, with microseconds. One without a zone is in UTC.

    Raises InvalidBody with every fault, its path, and a suggestion where a name is near.
    """
    try:
        made: BaseModel = model.__pydantic_validator__.validate_python(dict(fields))
    except ValidationError as error:
        found = error.errors(include_url=False)
        faults = [_fault(each, model) for each in found[:MOST_FAULTS]]
        raise invalid(faults, of=len(found)) from error
    return _dumped(model, made)


def defaults_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return the values of fields that nobody said, ready for JSON.

    One that is made anew each time, other than an empty collection, has none.
    """
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if field.default_factory in _EMPTY:
            found[name] = _plainly(field, cast("type[Any]", field.default_factory)())
        elif field.default_factory is None and not field.is_required():
            found[name] = _plainly(field, field.default)
    return found


def _plainly(field: FieldInfo, value: object) -> Any:
    """Return the default *value* of *field* as events hold it."""
    if isinstance(value, datetime):
        return stamp(value if value.tzinfo is None else value.astimezone(UTC))
    kind: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
    return kind.dump_python(value, mode="json", warnings=False)


def _dumped(model: type[BaseModel], made: BaseModel) -> dict[str, Any]:
    try:
        dumped: dict[str, Any] = model.__pydantic_serializer__.to_python(made, mode="json")
    except ValueError as error:
        raise invalid([fault((), "too_deep", f"It cannot be written as JSON: {error}")]) from error
    faults: list[Mapping[str, Any]] = []
    for name, value in made.__dict__.items():
        if isinstance(value, datetime) and dumped.get(name) == _plain(value):
            try:
                dumped[name] = stamp(value if value.tzinfo is None else value.astimezone(UTC))
            except OverflowError:
                faults.append(fault((name,), "date_out_of_range", "No such moment in UTC"))
    if not _storable(dumped):
        _add_unstorable(faults, dumped, ())
    if faults:
        raise invalid(faults)
    return dumped


def stamp(moment: datetime) -> str:
    """Return *moment*, which is in UTC, as our clients read it."""
    return moment.isoformat(timespec="microseconds")[:26] + "Z"


def invalid(faults: Sequence[Mapping[str, Any]], *, of: int = 0) -> InvalidBody:
    """Return the refusal that lists *faults*: all there are, or the first *of* so many."""
    first, all_ = faults[0], max(of, len(faults))
    more = f" (and {all_ - 1} more)" if all_ > 1 else ""
    return InvalidBody(f"{first['path'] or 'body'}: {first['msg']}{more}.", faults[:MOST_FAULTS])


def fault(
    loc: Sequence[str | int],
    word: str,
    message: str,
    value: object = None,
    *,
    near: str | None = None,
) -> dict[str, Any]:
    """Return one fault; *near* is the name that was probably meant."""
    found: dict[str, Any] = {
        "path": ".".join(str(each) for each in loc),
        "loc": list(loc),
        "type": word,
        "msg": message,
    }
    if value is not None and len(repr(value)) <= _SHOWN:
        found["input"] = value
    if near is not None:
        found |= {"msg": f"{message}; did you mean {near!r}?", "suggestion": near}
    return found


def nearest(name: str, names: Sequence[str]) -> str | None:
    """Return the one of *names* that *name* is probably a slip of."""
    return next(iter(difflib.get_close_matches(name, names, n=1, cutoff=0.6)), None)


def _plain(moment: datetime) -> str:
    """Return *moment* as pydantic writes it unless the model says otherwise."""
    return moment.isoformat().replace("+00:00", "Z")


def _storable(value: object) -> bool:
    """Tell whether JSON and the database can hold all numbers in *value*."""
    if isinstance(value, str):
        return True
    if isinstance(value, dict):
        return all(map(_storable, cast("dict[str, object]", value).values()))
    if isinstance(value, list):
        return all(map(_storable, cast("list[object]", value)))
    if isinstance(value, int):
        return -_LARGEST - 1 <= value <= _LARGEST
    return not isinstance(value, float) or math.isfinite(value)


def _add_unstorable(
    faults: list[Mapping[str, Any]], value: object, loc: tuple[str | int, ...]
) -> None:
    """Add a fault for each number that JSON or the database cannot hold."""
    if isinstance(value, dict):
        for name, each in cast("dict[str, object]", value).items():
            _add_unstorable(faults, each, (*loc, name))
    elif isinstance(value, list):
        for place, each in enumerate(cast("list[object]", value)):
            _add_unstorable(faults, each, (*loc, place))
    elif not _storable(value):
        faults.append(
            fault(loc, "int_too_large", "Whole numbers have at most 64 bits", value)
            if isinstance(value, int)
            else fault(loc, "finite_number", "Numbers are finite")
        )


def _fault(error: Any, model: type[BaseModel]) -> dict[str, Any]:
    loc: tuple[str | int, ...] = error["loc"]
    if error["type"] == "missing":
        return fault(loc, "missing", "Field required")
    if error["type"] == "extra_forbidden":
        near = nearest(str(loc[-1]), [*model.model_fields]) if len(loc) == 1 else None
        return fault(loc, "extra_forbidden", "Unknown field", error["input"], near=near)
    return fault(loc, error["type"], error["msg"], error["input"])
