"""What runs in a state folder: a lock that its parent holds, and a note of what it started."""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from treering.embedded.options import Addresses
from treering.embedded.process import Identity, wait
from treering.errors import ServerError

PATIENCE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What a process runs in a folder."""

    pid: int
    """The process that started the servers and owns them."""
    addresses: Addresses | None
    """None while the servers are starting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What was started, so that a later start can clean up and use the same ports."""

    pid: int = 0
    addresses: Addresses | None = None
    processes: Mapping[str, Identity] = field(default_factory=dict[str, Identity])
    kafka_port: int | None = None
    socket_folder: str | None = None


def running(folder: Path) -> Running | None:
    """Return what another process runs in *folder*; None when nobody does."""
    try:
        lock = os.open(folder / "servers.lock", os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        note = read(folder)
        return Running(pid=note.pid, addresses=note.addresses)
    else:
        return None
    finally:
        os.close(lock)


def lock(folder: Path) -> int:
    """Take the folder for this process and return the lock; closing it gives the folder free."""
    found = os.open(folder / "servers.lock", os.O_RDWR | os.O_CREAT, 0o600)
    if not wait(lambda: _locked(found), PATIENCE):
        os.close(found)
        raise ServerError(
            f"{folder} is in use: process {read(folder).pid} runs its servers. Stop that one first."
        )
    return found


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def read(folder: Path) -> Note:
    """Return the folder's note; an empty one when there is none or it can not be read."""
    try:
        found = json.loads((folder / "servers.json").read_text())
        addresses = found["addresses"]
        return Note(
            pid=found["pid"],
            addresses=Addresses(**addresses) if addresses else None,
            processes={name: Identity(**of) for name, of in found["processes"].items()},
            kafka_port=found["kafka_port"],
            socket_folder=found["socket_folder"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Note()


def write(folder: Path, note: Note) -> None:
    """Put *note* in the place of the one before, at once or not at all."""
    aside = folder / "servers.json.new"
    aside.write_text(json.dumps(asdict(note), indent=2) + "\n")
    aside.replace(folder / "servers.json")
