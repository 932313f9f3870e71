"""Changes of the Python files of a folder, seen by looking at it now and then."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

_SHORTEST = 0.3
_SHARE = 20
"""A look may take the twentieth part of the time between two."""


def changes(folder: Path) -> AsyncIterator[Path]:
    """Yield a file each time that files were changed, added or removed since the call, for ever."""
    return _since(folder, _times(folder))


async def _since(folder: Path, before: Mapping[str, int]) -> AsyncIterator[Path]:
    pause = _SHORTEST
    while True:
        await asyncio.sleep(pause)
        start = time.monotonic()
        now = await asyncio.to_thread(_times, folder)
        pause = max(_SHORTEST, _SHARE * (time.monotonic() - start))
        if different := {*before.items()} ^ {*now.items()}:
            before = now
            yield Path(min(different)[0])


def _times(folder: Path) -> Mapping[str, int]:
    return {entry.path: entry.stat().st_mtime_ns for entry in _files(str(folder))}


def _files(folder: str) -> Iterator[os.DirEntry[str]]:
    """Yield the Python files below *folder*, but for those of environments and caches."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    if any(entry.name == "pyvenv.cfg" for entry in entries):
        return
    for entry in entries:
        if entry.name.startswith((".", "__pycache__", "node_modules")):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path)
        elif entry.name.endswith(".py") and entry.is_file():
            yield entry
