"""What was released: the shapes in the files of `schemas/` that never change again.

`released.json` names them with their digests, so that a touched one is noticed.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import msgspec

from treering.app.loading import App
from treering.app.shapes import read_model
from treering.errors import DeclarationError
from treering.roots import kit_root
from treering.schema import Schema, SchemaRegistry, differences, is_same, split

RELEASED = "released.json"
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_SHOWN = "read-models"


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """A shape as the code says it."""

    name: str
    folder: str
    schema: Callable[[], Schema]

    @property
    def is_shown(self) -> bool:
        """Whether clients only read it."""
        return self.folder == _SHOWN


def folder_of(app: App) -> Path:
    """Return the folder in which the contract of *app* is kept."""
    return (app.root or kit_root()) / "schemas"


def schemas_of(app: App) -> SchemaRegistry:
    """Return all shapes of *app*, those that were released and those of today.

    Raises DeclarationError if today's contradict what was released.
    """
    found = SchemaRegistry()
    everything = [*declared(app)]
    add_released(found, folder_of(app), {each.name for each in everything})
    for each in everything:
        try:
            register(found, each)
        except DeclarationError as error:
            raise DeclarationError(
                f"{error}, and was released: `treering schemas diff` shows how to go on."
            ) from None
    return found


def declared(app: App) -> Iterator[Declared]:
    """Yield the shapes of all messages and read models of *app*."""
    folders = {"commands": app.registry.commands, "events": app.registry.events}
    for folder, types in folders.items():
        for name, each in types.items():
            shape = _document(name, each.schema, is_old=each.body.deprecated)
            yield Declared(name=name, folder=folder, schema=shape)
    for projection in app.projections:
        name = f"{projection.name}.v1"

        shape = _document(name, partial(read_model, projection, app.entities))
        yield Declared(name=name, folder=_SHOWN, schema=shape)


def register(registry: SchemaRegistry, said: Declared) -> str | None:
    """Register a shape; return the id of its revision if it is a new one.

    A read model that changed otherwise than compatibly is the next version by itself: nobody
    writes it, and whoever reads it is told by the name.
    """
    name = said.name
    while said.is_shown and (last := registry.get(name)) is not None:
        found = differences(last.schema_json, said.schema(), is_shown=True)
        if is_same(last.schema_json, said.schema()) or all(each.is_compatible for each in found):
            break
        registry.deprecate(name)
        stem, number = name.rsplit(".v", 1)
        name = f"{stem}.v{int(number) + 1}"
    is_first = registry.revision(name) is None
    made = registry.register(name, said.schema, is_shown=said.is_shown)
    return name if is_first else made and made.id


def add_released(registry: SchemaRegistry, folder: Path, names: set[str]) -> list[str]:
    """Add what was released to *registry*, old if it is none of *names*; return what is wrong."""
    faults: list[str] = []
    for path, digest in sorted(released(folder).items(), key=lambda each: _place(each[0])):
        if fault := _fault(folder, path, digest):
            faults.append(fault)
            continue
        name, _ = _place(path)
        schema = json.loads((folder / path).read_text())
        registry.add(name, schema, deprecated=name not in names)
    return faults


def released(folder: Path) -> Mapping[str, str]:
    """Return the digests of released files, by their paths below *folder*."""
    file = folder / RELEASED
    try:
        return json.loads(file.read_text()) if file.exists() else {}
    except ValueError as error:
        raise DeclarationError(
            f"{folder.name}/{RELEASED} can not be read ({error}): take it as it was committed."
        ) from None


def digest_of(file: Path) -> str:
    """Return what is noted of a file when it is released."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _document(
    name: str, schema: Callable[[], Schema], *, is_old: bool = False
) -> Callable[[], Schema]:
    old = {"deprecated": True} if is_old else {}
    return lambda: {"$schema": _DRAFT, "$id": name, **schema(), **old}


def _place(path: str) -> tuple[str, int]:
    """Return the name and the number of the revision in the file at *path*."""
    return split(Path(path).name.removesuffix(".json")) or (path, 1)


def _fault(folder: Path, path: str, digest: str) -> str:
    file = folder / path
    if not file.exists():
        return f"{path} was released and is gone."
    return f"{path} was released and was changed." if digest_of(file) != digest else ""
