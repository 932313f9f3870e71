"""Clients of `/api/v1/events`: they come and go, note what they hear, and are cheap."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random
from urllib.parse import quote

import msgspec

_GONE = 1.0
"""Seconds that one who hangs up stays away, at most."""
_SAFE = "=&.[],"


class _Data(msgspec.Struct):
    amount: int


class _Event(msgspec.Struct):
    position: int
    data: _Data


_decode = msgspec.json.Decoder(_Event).decode


class Listener:
    """One client, which asks for what *query* says and comes back with the last id it had."""

    def __init__(self, port: int, query: str, heard: Callable[[int, float], None]) -> None:
        self._port = port
        self._path = f"/api/v1/events?{quote(query, safe=_SAFE)}"
        self._heard = heard
        self.amounts: list[int] = []
        """What was heard."""
        self.faults: list[str] = []
        self.last = ""
        self.connects = 0
        self._since = 0.0
        self.is_there = asyncio.Event()
        """Set while it listens."""

    async def listen(self, stop: asyncio.Event, random: Random, mean: float | None) -> None:
        """Listen until told to stop; hang up at random, every *mean* seconds, never without."""
        while not stop.is_set():
            seconds = None if mean is None else random.expovariate(1 / mean)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._once()
            self.is_there.clear()
            if mean is None:
                return
            await asyncio.sleep(random.uniform(0, _GONE))

    async def _once(self) -> None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError as error:
            self.faults.append(f"could not connect: {error}")
            return
        try:
            last = f"Last-Event-ID: {self.last}\r\n" if self.last else ""
            writer.write(f"GET {self._path} HTTP/1.1\r\nHost: localhost\r\n{last}\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head.split(b"\r\n", 1)[0]:
                self.faults.append(f"{self._path}: {head!r}")
                return
            self.connects += 1
            await self._blocks(reader)
        except (OSError, EOFError) as error:
            self.faults.append(f"was hung up on: {error!r}")
        finally:
            writer.transport.abort()

    async def _blocks(self, reader: asyncio.StreamReader) -> None:
        """Read blocks; the lines of which chunks begin are none of theirs."""
        named, data = "", b""
        while line := await reader.readline():
            if line.startswith(b"id: "):
                named = line[4:-1].decode()
            elif line.startswith(b"data: "):
                data = line[6:-1]
            elif line.startswith(b"event: "):
                self.faults.append(f"ended: {line!r}")
            elif line == b"\n" and named:
                self.last = named
                if data:
                    amount = _decode(data).data.amount
                    self.amounts.append(amount)
                    self._heard(amount, self._since)
                if not self.is_there.is_set():
                    self._since = time.perf_counter()
                    self.is_there.set()
                named, data = "", b""
        raise EOFError


class Latencies:
    """Milliseconds from when something was said to each time that one who was there heard it."""

    def __init__(self) -> None:
        self._said: dict[int, float] = {}
        self.milliseconds: list[float] = []
        self.counts = False
        """Whether what is heard counts."""

    def say(self, amount: int) -> None:
        """Note that it is said now."""
        self._said[amount] = time.perf_counter()

    def hear(self, amount: int, since: float) -> None:
        """Note that it is heard now, unless it was said before the listener was there, *since*."""
        if self.counts and (said := self._said[amount]) > since:
            self.milliseconds.append(1000 * (time.perf_counter() - said))


def wrong(listener: Listener, expected: Sequence[int]) -> str | None:
    """Return in words what is wrong with what was heard; None if it is exactly what is expected."""
    if listener.amounts == expected:
        return None
    missing = {*expected} - {*listener.amounts}
    others = {*listener.amounts} - {*expected}
    twice = len(listener.amounts) - len({*listener.amounts})
    return (
        f"missing {sorted(missing)[:5]}, not wanted {sorted(others)[:5]}, twice {twice}, "
        f"in order {listener.amounts == sorted(listener.amounts)}"
    )
