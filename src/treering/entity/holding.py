"""What an entity holds by its declaration: unique keys and references, and their rules in words."""

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from hashlib import blake2b
from typing import Any, Protocol, cast

import msgspec

from treering.decider import live, nothing
from treering.entity.rules import EntityState
from treering.message import Stream

_LONGEST_KEY = 500


class _Declared(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def unique(self) -> Collection[str | tuple[str, ...]]: ...
    @property
    def frees_keys(self) -> bool: ...
    @property
    def references(self) -> Mapping[str, str]: ...
    @property
    def version(self) -> int: ...


def holdings(said: _Declared) -> dict[str, Any]:
    """Return what a decider says of keys and references, for the entity that is declared so.

    Another version of it may read the same fields otherwise, so its rules are others too.
    """
    groups = [(key,) if isinstance(key, str) else key for key in said.unique]
    frees = " frees" if said.frees_keys else ""
    version = f" v{said.version}" if said.version > 1 else ""
    return {
        "keys": partial(_keys, said, groups) if groups else nothing,
        "references": partial(_references, said) if said.references else nothing,
        "rules": [
            *(f"unique {'+'.join(names)}{frees}{version}" for names in groups),
            *(f"references {kind} in {field}{version}" for field, kind in said.references.items()),
        ],
        "exists": live,
    }


def _keys(
    said: _Declared, groups: Collection[tuple[str, ...]], state: EntityState
) -> Iterable[str]:
    gone = state.status == "deleted" and said.frees_keys
    if gone or state.status in ("absent", "purged"):
        return
    for names in groups:
        values = [state.fields.get(name) for name in names]
        if any(value is None for value in values):
            continue
        shown = msgspec.json.encode(
            values if len(values) > 1 else values[0], order="deterministic"
        ).decode()
        if len(shown) > _LONGEST_KEY:
            shown = blake2b(shown.encode(), digest_size=20).hexdigest()
        yield f"{said.kind}.{'+'.join(names)}={shown}"


def _references(said: _Declared, state: EntityState) -> Iterable[tuple[str, Stream]]:
    """Yield the fields that name others, and whom: of an entity that is deleted none count."""
    if state.status != "live":
        return
    for field, kind in said.references.items():
        value = state.fields.get(field)
        ids = cast("list[object]", value) if isinstance(value, list) else [value]
        for each in ids:
            if each is not None:
                yield field, f"{kind}/{each}"
