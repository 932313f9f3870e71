"""What a running `treering dev` tells the other commands of its folder: addresses and processes."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from treering.embedded import running
from treering.settings import PREFIX, Settings

_ADDRESSES = ("kafka", "database", "database_owner", "database_reader")
_FILE = "dev.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """Where a folder's service is reached."""

    pid: int
    """The parent."""
    http: str
    kafka: str
    database: str
    database_owner: str
    database_reader: str
    namespace: str
    waiting_for: str = ""
    """Why it can not be used yet; empty: it can."""
    processes: Mapping[str, int] = field(default_factory=dict[str, int])
    """The children and the servers, by name."""

    def settings(self, settings: Settings) -> Settings:
        """Return *settings* with these addresses, unless one that it names leads elsewhere.

        What is of two places is never mixed: one would be read, and the other one written to.
        """
        if self.contradicted(settings):
            return settings
        return settings.model_copy(update={name: getattr(self, name) for name in _ADDRESSES})

    def contradicted(self, settings: Settings) -> Sequence[str]:
        """Return the variables of *settings* that name another address than this."""
        return [
            f"{PREFIX}{name.upper()}"
            for name in _ADDRESSES
            if getattr(settings, name) not in (None, getattr(self, name))
        ]


def write(home: Path, announcement: Announcement) -> None:
    """Announce, at once or not at all; only this user may read it."""
    aside = home / f"{_FILE}.new"
    file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "w") as text:
        text.write(json.dumps(asdict(announcement), indent=2) + "\n")
    aside.replace(home / _FILE)


def read(home: Path) -> Announcement | None:
    """Return what runs in *home*; None when nothing does, or it is still starting."""
    found = running(home)
    if found is None:
        return None
    try:
        announcement = Announcement(**json.loads((home / _FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return announcement if announcement.pid == found.pid else None


def remove(home: Path) -> None:
    """Take the announcement back."""
    (home / _FILE).unlink(missing_ok=True)
