"""What was released: the shapes in the files of `schemas/` that never change again.

`released.json` names them with their digests, so that a touched one is noticed.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from treering.app.loading import App
from treering.errors import DeclarationError
from treering.roots import kit_root
from treering.schema import SchemaRegistry, split

RELEASED = "released.json"
COMMANDS, EVENTS, READ_MODELS = "commands", "events", "read-models"


class _Named(msgspec.Struct):
    id: str = msgspec.field(name="$id")


def folder_of(app: App) -> Path:
    """Return the folder in which the contract of *app* is kept."""
    return (app.root or kit_root()) / "schemas"


def released(folder: Path) -> Mapping[str, str]:
    """Return the digests of released files, by their paths below *folder*."""
    file = folder / RELEASED
    try:
        noted: Mapping[str, str] = json.loads(file.read_text()) if file.exists() else {}
        return {path: digest for path, digest in noted.items() if _is_revision(path)}
    except ValueError as error:
        raise DeclarationError(
            f"{folder.name}/{RELEASED} can not be read ({error}): take it as it was committed."
        ) from None


def add_released(registry: SchemaRegistry, folder: Path) -> list[str]:
    """Add what was released to *registry*; return what is wrong with it."""
    faults: list[str] = []
    for path, digest in sorted(released(folder).items(), key=lambda each: place_of(each[0])):
        if fault := _fault(folder, path, digest):
            faults.append(fault)
            continue
        name, number = place_of(path)
        registry.add(name, json.loads((folder / path).read_text()), number=number)
    return faults


def digest_of(file: Path) -> str:
    """Return what is noted of a file when it is released."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def place_of(path: str) -> tuple[str, int]:
    """Return the name and the number of the revision in the file at *path*."""
    return split(Path(path).name.removesuffix(".json")) or (path, 1)


def revisions_in(folder: Path) -> Iterator[str]:
    """Yield the paths of the revisions in *folder*; what somebody else has put there is none."""
    for kind in (COMMANDS, EVENTS, READ_MODELS):
        for file in sorted((folder / kind).glob("*.json")):
            if _is_ours(file):
                yield file.relative_to(folder).as_posix()


def _is_revision(path: str) -> bool:
    place = Path(path)
    is_there = place.parent.as_posix() in (COMMANDS, EVENTS, READ_MODELS)
    return is_there and split(place.name.removesuffix(".json")) is not None


def _is_ours(file: Path) -> bool:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Named).id == place_of(file.name)[0]
    except msgspec.MsgspecError:
        return False


def _fault(folder: Path, path: str, digest: str) -> str:
    file = folder / path
    if not file.exists():
        return f"{path} was released and is gone."
    return f"{path} was released and was changed." if digest_of(file) != digest else ""
