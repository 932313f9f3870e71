"""The contract of a service in files: a JSON Schema for each revision of each message, AsyncAPI.

A file that was released never changes: what was compatible with it gets the next revision
(`config.created.v1.2.json`), what was not is refused and wants a new version of its type.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from treering.app.comparison import Comparison, compare
from treering.app.loading import App
from treering.app.released import RELEASED, digest_of, released, revisions_in
from treering.bus import asyncapi
from treering.errors import DeclarationError

_ASYNCAPI = "asyncapi.json"

type Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What the files of a folder should be, and what may not be."""

    files: Mapping[str, str]
    """By path below the folder: the text of each file that is not released."""
    compared: Comparison
    """What is declared, beside what was released."""

    @property
    def faults(self) -> list[str]:
        """A sentence for each thing that may not be."""
        return self.compared.faults


def contract(app: App, folder: Path) -> Contract:
    """Return what *folder* should hold for *app*."""
    compared = compare(app, folder)
    files = {path: _text(each.schema()) for path, each in compared.new.items()}
    return Contract(files={_ASYNCAPI: _text(_asyncapi(app)), **files}, compared=compared)


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


def unreleased(folder: Path) -> list[str]:
    """Return the paths of the revisions in *folder* that may still change."""
    noted = released(folder)
    return [path for path in revisions_in(folder) if path not in noted]


def release(found: Contract, folder: Path) -> list[str]:
    """Note all revisions in *folder* as released; return those that were not before.

    Raises DeclarationError, and notes nothing, if they are not what the code declares.
    """
    if said := drift(found, folder):
        raise DeclarationError(
            f"{folder.name}/ is not what the code declares, and would never change again. "
            f"{' '.join(said)}"
        )
    new = unreleased(folder)
    noted = {**released(folder), **{path: digest_of(folder / path) for path in new}}
    (folder / RELEASED).write_text(_text(dict(sorted(noted.items()))))
    return new


def _asyncapi(app: App) -> Document:
    return asyncapi(
        app.registry,
        namespace=app.namespace,
        title=app.service.display_name,
        version=app.service.version,
        description=app.service.description,
    )


def _stale(found: Contract, folder: Path) -> Iterator[str]:
    for path in unreleased(folder):
        if path not in found.files:
            yield path


def _text(document: Document) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
