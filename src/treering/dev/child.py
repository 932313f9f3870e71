"""One run of a child process: how it is started, what it says, and how it ends.

A socket is its standard input. Down go two lines, settings and then settings with the servers'
addresses; up come lines that say how far it is. When the parent dies the socket breaks, and the
child ends at once.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from treering.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a child ended by itself."""

    reason: str
    """One sentence for a person; empty when it just died."""
    kind: str = ""
    """The error's name."""


class Child:
    """One process of `python -m treering.dev.program`."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        said: Callable[[str], None],
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._said = said
        self._loaded: Mapping[str, Any] | None = None
        self.failure = Failure(reason="")

    @classmethod
    async def start(
        cls,
        roles: Sequence[str],
        settings: Settings,
        *,
        environment: Mapping[str, str],
        said: Callable[[str], None],
        listener: int | None = None,
    ) -> "Child":
        """Start a child that imports and loads, but waits for `go` before it connects.

        *said* is called with each sentence that it has for a person.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "treering.dev.program",
                *roles,
                stdin=theirs.fileno(),
                env={**os.environ, **environment},
                pass_fds=[] if listener is None else [listener],
                start_new_session=True,
            )
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        child = cls(process, reader, writer, said)
        child._tell(settings, listener=listener)
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    async def loaded(self) -> Mapping[str, Any] | None:
        """Return what the child says of its service once it has loaded it; None if it ended."""
        if self._loaded is None:
            self._loaded = await self._hear("loaded")
        return self._loaded

    def go(self, settings: Settings, *, one_broker: bool) -> None:
        """Let the child connect to the servers that *settings* name; Kafka may be one of ours."""
        self._tell(settings, one_broker=one_broker)

    async def ended(self) -> int:
        """Wait for the child's end; return its exit status."""
        while await self._hear("") is not None:
            pass
        status = await self._process.wait()
        self._writer.close()
        return status

    async def stop(self, seconds: float) -> None:
        """Tell the child to finish what it began; kill it after *seconds*."""
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(seconds):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()

    def kill(self) -> None:
        """Kill the child, which is heard no more."""
        self._signal(signal.SIGKILL)
        self._writer.close()

    def _signal(self, number: int) -> None:
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _tell(self, settings: Settings, **more: int | None) -> None:
        said = {"settings": settings.model_dump(mode="json", exclude_unset=True), **more}
        self._writer.write(json.dumps(said).encode() + b"\n")

    async def _hear(self, word: str) -> Mapping[str, Any] | None:
        """Return what the child says under *word*; None when it has nothing more to say."""
        with suppress(ConnectionError):
            while line := await self._reader.readline():
                said: dict[str, Any] = json.loads(line)
                if "failed" in said:
                    self.failure = Failure(reason=said["failed"], kind=said["kind"])
                if "said" in said:
                    self._said(said["said"])
                if word in said:
                    return said[word]
        return None
