"""Peers in processes, and where needed environments, of their own."""

import asyncio
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from platformdirs import user_cache_path


class Peer:
    """A process that answers one number to each line it is given."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, python: str, script: str, *values: str) -> Self:
        """Start `benchmarks/peers/<script>` with *python* and *values*."""
        path = Path(__file__).with_name("peers") / script
        return cls(
            await asyncio.create_subprocess_exec(
                python, str(path), *values, stdin=PIPE, stdout=PIPE
            )
        )

    async def ask(self, *words: object) -> float:
        """Send *words* as one line, return the number that comes back."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("A peer has both pipes.")
        self._process.stdin.write((" ".join(map(str, words)) + "\n").encode())
        return float(await self._process.stdout.readline())

    async def stop(self) -> None:
        """Close its input, which ends it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._process.wait()


def environment(name: str, requirements: Sequence[str]) -> str:
    """Return the Python of an environment with *requirements*, made once and kept in the cache."""
    folder = user_cache_path("treering", appauthor=False) / "benchmarks" / name
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        uv = [sys.executable, "-m", "uv"]
        subprocess.check_call([*uv, "venv", "--quiet", "--clear", "-p", sys.executable, folder])
        subprocess.check_call([*uv, "pip", "install", "--quiet", "--python", python, *requirements])
        ready.touch()
    return str(python)
