"""Brings the database up to date, in a process of its own: what it takes is seldom needed."""

import asyncio
import os
import sys
from collections.abc import Mapping
from subprocess import PIPE

from treering.errors import StoreNotReady
from treering.settings import PREFIX, Settings

_FAILED = "Error: "


async def upgrade(settings: Settings) -> str:
    """Run `treering db upgrade` and return what it says; raises StoreNotReady when it fails."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "treering", "db", "upgrade"),
        env={**os.environ, **_told(settings)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )
    said, complained = await process.communicate()
    if process.returncode != 0:
        reason = complained.decode(errors="replace").strip().removeprefix(_FAILED)
        raise StoreNotReady(reason or "The database could not be brought up to date.")
    return said.decode(errors="replace").strip()


def _told(settings: Settings) -> Mapping[str, str]:
    """Return *settings* as variables of an environment."""
    said = settings.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    return {f"{PREFIX}{name.upper()}": str(value) for name, value in said.items()}
