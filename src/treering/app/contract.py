"""The contract of a service in files: a JSON Schema for each revision of each message, AsyncAPI.

A file that was released never changes: what was compatible with it gets the next revision
(`config.created.v1.2.json`), what was not is refused and wants a new version of its type.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from treering.app.loading import App
from treering.app.shapes import is_compatible, is_same, read_model
from treering.bus import asyncapi
from treering.errors import DeclarationError

RELEASED = "released.json"
_ASYNCAPI = "asyncapi.json"
_DRAFT = "https://json-schema.org/draft/2020-12/schema"

type Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What the files of a folder should be, and what may not be."""

    files: Mapping[str, str]
    """By path below the folder: the text of each file that is not released."""
    faults: list[str]
    """A sentence for each released shape that was changed."""


def contract(app: App, folder: Path) -> Contract:
    """Return what *folder* should hold for *app*."""
    released = _released(folder)
    faults = [fault for path, digest in released.items() if (fault := _fault(folder, path, digest))]
    files: dict[str, str] = {_ASYNCAPI: _text(_asyncapi(app))}
    for stem, document in _documents(app):
        try:
            path = _place(folder, stem, document, released)
        except DeclarationError as error:
            faults.append(str(error))
        else:
            if path is not None:
                files[path] = _text(document)
    return Contract(files=files, faults=faults)


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
    released = dict(_released(folder))
    new = [path for path in _revisions(folder) if path not in released]
    released |= {path: _digest(folder / path) for path in new}
    (folder / RELEASED).write_text(_text(dict(sorted(released.items()))))
    return new


def _documents(app: App) -> Iterator[tuple[str, Document]]:
    """Yield every shape under its path without revision and suffix."""
    folders = {"commands": app.registry.commands, "events": app.registry.events}
    for folder, types in folders.items():
        for name, each in types.items():
            yield f"{folder}/{name}", {"$schema": _DRAFT, "$id": name, **each.schema()}
    for projection in app.projections:
        shape = read_model(projection, app.entities)
        name = f"{projection.name}.v1"
        yield f"read-models/{name}", {"$schema": _DRAFT, "$id": name, **shape}


def _asyncapi(app: App) -> Document:
    return asyncapi(
        app.registry,
        namespace=app.namespace,
        title=app.service.display_name,
        version=app.service.version,
        description=app.service.description,
    )


def _place(folder: Path, stem: str, document: Document, released: Mapping[str, str]) -> str | None:
    """Return the path that *document* is written to; None if a released one says it already."""
    number = 1
    while (path := _path(stem, number)) in released and (folder / path).exists():
        number += 1
    if number == 1:
        return path
    last = json.loads((folder / _path(stem, number - 1)).read_text())
    if is_same(last, document):
        return None
    if why := is_compatible(last, document):
        raise DeclarationError(
            f"{document['$id']} was released and {why}: give the new shape a new version of its "
            "type, and an upcaster."
        )
    return path


def _path(stem: str, number: int) -> str:
    return f"{stem}.json" if number == 1 else f"{stem}.{number}.json"


def _released(folder: Path) -> Mapping[str, str]:
    file = folder / RELEASED
    return json.loads(file.read_text()) if file.exists() else {}


def _fault(folder: Path, path: str, digest: str) -> str:
    file = folder / path
    if not file.exists():
        return f"{path} was released and is gone."
    return f"{path} was released and was changed." if _digest(file) != digest else ""


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _revisions(folder: Path) -> Iterator[str]:
    for file in sorted(folder.glob("*/*.json")):
        yield file.relative_to(folder).as_posix()


def _stale(found: Contract, folder: Path) -> Iterator[str]:
    released = _released(folder)
    for path in _revisions(folder):
        if path not in released and path not in found.files:
            yield path


def _text(document: Document) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
