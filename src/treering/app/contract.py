"""The contract of a service in files: a JSON Schema for each revision of each message, AsyncAPI.

A file that was released never changes: what was compatible with it gets the next revision
(`config.created.v1.2.json`), what was not is refused and wants a new version of its type.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from treering.app.loading import App
from treering.app.released import (
    RELEASED,
    Declared,
    add_released,
    declared,
    digest_of,
    register,
    released,
)  # fmt: skip
from treering.bus import asyncapi
from treering.errors import DeclarationError
from treering.schema import Difference, SchemaRegistry, differences

_ASYNCAPI = "asyncapi.json"

type Document = Mapping[str, Any]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What the files of a folder should be, and what may not be."""

    files: Mapping[str, str]
    """By path below the folder: the text of each file that is not released."""
    faults: list[str]
    """A sentence for each released shape that was changed."""
    changes: list[Change]
    """The shapes that are not as they were released."""
    schemas: SchemaRegistry
    """All shapes; of those that are at fault what was released."""


def contract(app: App, folder: Path) -> Contract:
    """Return what *folder* should hold for *app*."""
    everything = [*declared(app)]
    schemas = SchemaRegistry()
    faults = add_released(schemas, folder, {each.name for each in everything})
    files: dict[str, str] = {_ASYNCAPI: _text(_asyncapi(app))}
    changes: list[Change] = []
    for each in everything:
        changes += _changes(schemas, each)
        try:
            revision = register(schemas, each)
        except DeclarationError as error:
            faults.append(
                f"{error}, and was released: give the new shape a new version of its type, and an "
                "upcast."
            )
        else:
            if revision is not None:
                files[f"{each.folder}/{revision}.json"] = _text(each.schema())
    return Contract(files=files, faults=faults, changes=changes, schemas=schemas)


def drift(found: Contract, folder: Path) -> list[str]:
    """Return a sentence for each file that is not what it should be."""
    said = list(found.faults)
    for path, text in found.files.items():
        file = folder / path
        if not file.exists():
            said.append(f"{path} is missing.")
        elif file.read_text() != text:
            said.append(f"{path} is not up to date.")
    return said + [f"{path} describes nothing any more." for path in _stale(found, folder)]


def write(found: Contract, folder: Path) -> list[str]:
    """Make *folder* what it should be; return the paths of what was changed.

    Raises DeclarationError, and writes nothing, when a released shape was changed.
    """
    if found.faults:
        raise DeclarationError(" ".join(found.faults))
    changed = list(_stale(found, folder))
    for path in changed:
        (folder / path).unlink()
    for path, text in found.files.items():
        file = folder / path
        if not file.exists() or file.read_text() != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            changed.append(path)
    return changed


def release(folder: Path) -> list[str]:
    """Note all files of *folder* as released; return those that were not before."""
    noted = dict(released(folder))
    new = [path for path in _revisions(folder) if path not in noted]
    noted |= {path: digest_of(folder / path) for path in new}
    (folder / RELEASED).write_text(_text(dict(sorted(noted.items()))))
    return new


def _changes(schemas: SchemaRegistry, said: Declared) -> Iterator[Change]:
    last = schemas.get(said.name)
    if last is None:
        return
    found = differences(last.schema_json, said.schema(), is_shown=said.is_shown)
    if found:
        yield Change(name=said.name, differences=found, is_shown=said.is_shown)


def _asyncapi(app: App) -> Document:
    return asyncapi(
        app.registry,
        namespace=app.namespace,
        title=app.service.display_name,
        version=app.service.version,
        description=app.service.description,
    )


def _revisions(folder: Path) -> Iterator[str]:
    for file in sorted(folder.glob("*/*.json")):
        yield file.relative_to(folder).as_posix()


def _stale(found: Contract, folder: Path) -> Iterator[str]:
    noted = released(folder)
    for path in _revisions(folder):
        if path not in noted and path not in found.files:
            yield path


def _text(document: Document) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
