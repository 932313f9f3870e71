"""What the code declares, beside what was released: what is new, what changed, what may not be."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

import msgspec

from treering.app.loading import App
from treering.app.released import (
    COMMANDS,
    EVENTS,
    READ_MODELS,
    add_released,
    folder_of,
    place_of,
    released,
)  # fmt: skip
from treering.app.shapes import read_model
from treering.errors import DeclarationError
from treering.schema import Difference, Schema, SchemaRegistry, differences

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """A shape as the code says it."""

    name: str
    folder: str
    schema: Callable[[], Schema]

    @property
    def is_shown(self) -> bool:
        """Whether clients only read it."""
        return self.folder == READ_MODELS


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A shape that is not as it was released."""

    name: str
    differences: list[Difference]
    is_shown: bool
    """Whether clients only read it."""

    @property
    def is_compatible(self) -> bool:
        """Whether it is the next revision; else it has to be the next version."""
        return all(each.is_compatible for each in self.differences)

    @property
    def refused(self) -> str:
        """Why it may not be what it is, and what it may be."""
        why = ", ".join(each.said for each in self.differences if not each.is_compatible)
        return (
            f"{self.name} {why}, and was released: give the new shape a new version of its type, "
            "and an upcast; `treering schemas diff` shows how."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All shapes, those that were released and those of today."""

    schemas: SchemaRegistry
    """All of them; of those that are at fault what was released."""
    new: dict[str, Declared] = field(default_factory=dict[str, Declared])
    """Revisions that were not released, by their paths below `schemas/`."""
    changes: list[Change] = field(default_factory=list[Change])
    """The shapes that are not as they were released."""
    broken: list[str] = field(default_factory=list[str])
    """A sentence for each released thing that was touched or is gone."""

    @property
    def faults(self) -> list[str]:
        """A sentence for each thing that may not be."""
        refused = [each for each in self.changes if not each.is_compatible and not each.is_shown]
        return [*self.broken, *(each.refused for each in refused)]


def schemas_of(app: App) -> SchemaRegistry:
    """Return all shapes of *app*, those that were released and those of today.

    Raises DeclarationError if today's contradict what was released.
    """
    found = compare(app, folder_of(app))
    if found.faults:
        raise DeclarationError(" ".join(found.faults))
    return found.schemas


def compare(app: App, folder: Path) -> Comparison:
    """Return what *app* declares beside what was released into *folder*."""
    found = Comparison(schemas=SchemaRegistry())
    found.broken.extend(add_released(found.schemas, folder))
    current = {_taken(found, each) for each in _declared(app)}
    found.broken.extend(_gone(app, found.schemas, folder))
    for name in found.schemas.names():
        if name not in current:
            found.schemas.deprecate(name)
    return found


def _declared(app: App) -> Iterator[Declared]:
    """Yield the shapes of all messages and read models of *app*."""
    for folder, types in ((COMMANDS, app.registry.commands), (EVENTS, app.registry.events)):
        for name, each in types.items():
            shape = _document(name, each.schema, is_old=each.body.deprecated)
            yield Declared(name=name, folder=folder, schema=shape)
    for projection in app.projections:
        name = f"{projection.name}.v1"
        shape = _document(name, partial(read_model, projection, app.entities))
        yield Declared(name=name, folder=READ_MODELS, schema=shape)


def _taken(found: Comparison, said: Declared) -> str:
    """Take up a shape; return the name that it has.

    A read model that changed otherwise than compatibly is the next version by itself: nobody
    writes it, and whoever reads it is told by the name.
    """
    schemas = found.schemas
    name = _newest(schemas, said.name) if said.is_shown else said.name
    said = _called(name, said)
    if schemas.revision(name) is None:
        return _first(found, said)
    last = schemas.versions(name)[-1]
    changed = differences(last.schema_json, said.schema(), is_shown=said.is_shown)
    change = Change(name=name, differences=changed, is_shown=said.is_shown)
    if changed:
        found.changes.append(change)
    if said.is_shown and not change.is_compatible:
        stem, number = name.rsplit(".v", 1)
        return _first(found, _called(f"{stem}.v{int(number) + 1}", said))
    if not change.is_compatible:
        return name
    made = schemas.register(name, said.schema, is_shown=said.is_shown)
    if made is not None:
        found.new[f"{said.folder}/{made.id}.json"] = said
    return name


def _first(found: Comparison, said: Declared) -> str:
    found.schemas.register(said.name, said.schema)
    found.new[f"{said.folder}/{said.name}.json"] = said
    return said.name


def _called(name: str, said: Declared) -> Declared:
    """Return what is *said* under another name."""
    if name == said.name:
        return said
    return Declared(name=name, folder=said.folder, schema=lambda: {**said.schema(), "$id": name})


def _newest(schemas: SchemaRegistry, first: str) -> str:
    """Return the newest version of a read model that was released."""
    stem = first.rsplit(".v", 1)[0]
    versions = [name for name in schemas.names() if name.rsplit(".v", 1)[0] == stem]
    return max(versions, key=lambda name: int(name.rsplit(".v", 1)[1]), default=first)


def _gone(app: App, schemas: SchemaRegistry, folder: Path) -> Iterator[str]:
    """Yield a sentence for each released message that nobody can read any more."""
    known = {*app.registry.commands, *app.registry.events, *app.registry.older}
    kinds: set[str] = set()
    for path in sorted(released(folder)):
        name, kind = place_of(path)[0], place_of(path)[0].partition(".")[0]
        if path.startswith(READ_MODELS) or name in known or kind in kinds:
            continue
        if kind not in app.registry.deciders:
            kinds.add(kind)
            yield (
                f"The kind {kind!r} was released and is declared no more: if its class has another "
                f'name now, say kind="{kind}" there; if nothing of it was ever recorded, take its '
                "files out of schemas/ and released.json."
            )
        elif not (path.startswith(COMMANDS) and (last := schemas.get(name)) and last.deprecated):
            known.add(name)
            yield (
                f"{name} was released and is declared no more: declare it, or say by an upcast how "
                "it is read; a command may go once a release has said that it is deprecated."
            )


def _document(
    name: str, schema: Callable[[], Schema], *, is_old: bool = False
) -> Callable[[], Schema]:
    old = {"deprecated": True} if is_old else {}
    return cache(lambda: {"$schema": _DRAFT, "$id": name, **schema(), **old})
