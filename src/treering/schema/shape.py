"""Two JSON Schemas compared: the same, compatible, or not, and what differs."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, cast

import msgspec

type Schema = Mapping[str, Any]

_WORDS = {"$id", "$schema", "deprecated", "description", "examples", "title"}
"""What a schema says to people."""


class Difference(msgspec.Struct, frozen=True):
    """One thing in which two shapes differ."""

    said: str
    """What the new one did, such as `lost its field 'name'`."""
    is_compatible: bool
    """Whether those who know only the old one get along with it."""
    lost: str | None = None
    """The field that is gone."""
    gained: str | None = None
    """The field that is new."""
    must: bool = False
    """Whether the new field must be there."""


def is_same(old: Schema, new: Schema) -> bool:
    """Tell whether both allow the same, and are deprecated or not, whatever else they say."""
    return _bare(old) == _bare(new) and _is_old(old) == _is_old(new)


def differences(old: Schema, new: Schema, *, is_shown: bool = False) -> list[Difference]:
    """Return in what *new* differs from *old*.

    Only a further field that need not be there is compatible; where a shape *is_shown* and nobody
    writes it, such as that of a read model, it may also have to be there.
    """
    before, after = _bare(old), _bare(new)
    fields, more = before.pop("properties", {}), after.pop("properties", {})
    needed, needs = set(before.pop("required", [])), set(after.pop("required", []))
    found = [
        *_of_fields(fields, more),
        *_of_needs(fields.keys() & more.keys(), needed ^ needs, needs),
    ]
    found += [_gained(name, must=name in needs, is_shown=is_shown) for name in more.keys() - fields]
    models, after_models = before.pop("$defs", {}), after.pop("$defs", {})
    found += _of_models(models, after_models)
    if before != after and all(each.is_compatible for each in found):
        found.append(Difference("changed its shape", is_compatible=False))
    if _is_old(old) != _is_old(new):
        said = "is deprecated" if _is_old(new) else "is deprecated no more"
        found.append(Difference(said, is_compatible=True))
    return sorted(found, key=lambda each: each.said)


def fields_of(schema: Schema) -> Collection[str]:
    """Return the names of the fields that *schema* knows."""
    return _bare(schema).get("properties", {}).keys()


def _of_fields(fields: Schema, more: Schema) -> Iterator[Difference]:
    for name, field in fields.items():
        if name not in more:
            yield Difference(f"lost its field {name!r}", is_compatible=False, lost=name)
        elif more[name] != field:
            yield Difference(f"changed its field {name!r}", is_compatible=False)


def _of_needs(both: set[str], moved: set[str], needs: set[str]) -> Iterator[Difference]:
    for name in both & moved:
        how = "must be there now" if name in needs else "need not be there any more"
        yield Difference(f"changed its field {name!r}, which {how}", is_compatible=False)


def _of_models(models: Schema, more: Schema) -> Iterator[Difference]:
    """Yield what differs in the models that fields are made of."""
    for name in models.keys() & more.keys():
        for each in differences(models[name], more[name]):
            yield Difference(f"changed its model {name!r}, which {each.said}", is_compatible=False)


def _is_old(schema: Schema) -> bool:
    return bool(schema.get("deprecated", False))


def _gained(name: str, *, must: bool, is_shown: bool) -> Difference:
    how = "which must be there" if must else "which need not be there"
    said = f"has a new field {name!r}" if is_shown else f"has a new field {name!r}, {how}"
    return Difference(said, is_compatible=is_shown or not must, gained=name, must=must)


def _bare(schema: Any) -> Any:
    """Return *schema* without words, its reference at the top resolved."""
    if isinstance(schema, list):
        return [_bare(each) for each in cast("list[Any]", schema)]
    if not isinstance(schema, Mapping):
        return schema
    said = cast("Schema", schema)
    bare = {
        name: {key: _bare(each) for key, each in value.items()}
        if name in ("properties", "$defs")
        else _bare(value)
        for name, value in said.items()
        if name not in _WORDS
    }
    reference = str(bare.pop("$ref", "") if "$defs" in bare else "")
    return _opened(bare, reference.rpartition("/")[2]) if reference else bare


def _opened(bare: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a shape that is only a reference as what it refers to."""
    models = bare["$defs"]
    if f'"#/$defs/{name}"'.encode() in msgspec.json.encode(models):
        return bare | models[name]
    return bare | {"$defs": {each: models[each] for each in models if each != name}} | models[name]
