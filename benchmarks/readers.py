"""Clients that write something and read it back, at a stated rate, each answer checked."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.http import Line

PATH = "/api/v1/entries"
_PATIENCE = 15.0
_JSON = {"content-type": "application/json"}
_SECONDS = 1000


@dataclass(slots=True, kw_only=True)
class Window:
    """What was measured in some span of time."""

    milliseconds: list[float] = field(default_factory=list[float])
    """From a write to the answer, and then from the read that must show it to its answer."""
    behind: int = 0
    failures: list[str] = field(default_factory=list[str])


class Readers:
    """Some clients, who write *rate* times a second together and read each write back."""

    def __init__(self, ports: Sequence[int], *, rate: float, clients: int = 8) -> None:
        self.window = Window()
        self._lines = [Line(ports[number % len(ports)]) for number in range(clients)]
        self._pause = clients / rate
        self._windows: list[Window] = [self.window]

    @property
    def windows(self) -> Sequence[Window]:
        """All that was measured."""
        return self._windows

    def turn(self) -> Window:
        """Begin another window, and return it."""
        self.window = Window()
        self._windows.append(self.window)
        return self.window

    async def run(self, stop: asyncio.Event) -> None:
        """Write and read until told to stop."""
        async with asyncio.TaskGroup() as group:
            for number, line in enumerate(self._lines):
                group.create_task(self._go(line, number, stop))

    async def _go(self, line: Line, number: int, stop: asyncio.Event) -> None:
        due = time.perf_counter() + self._pause * number / len(self._lines)
        count = 0
        while not stop.is_set():
            await asyncio.sleep(max(0, due - time.perf_counter()))
            due = max(due + self._pause, time.perf_counter() - self._pause)
            count += 1
            try:
                await self._once(line, {"name": f"of client {number}", "amount": count})
            except ConnectionError as error:
                self.window.failures.append(str(error))

    async def _once(self, line: Line, entry: dict[str, object]) -> None:
        window = self.window
        body = json.dumps(entry).encode()
        began = time.perf_counter()
        written = await line.request("POST", PATH, body=body, headers=_JSON, timeout=_PATIENCE)
        window.milliseconds.append(_SECONDS * (time.perf_counter() - began))
        if written.status != 201:
            window.failures.append(f"POST: {written.status} {written.body[:200]!r}")
            return
        window.behind += "treering-read-model" in written.headers
        named = json.loads(written.body)["id"]
        token = {"treering-position": written.headers["treering-position"]}
        began = time.perf_counter()
        read = await line.request("GET", f"{PATH}/{named}", headers=token, timeout=_PATIENCE)
        window.milliseconds.append(_SECONDS * (time.perf_counter() - began))
        late = "treering-read-model" in read.headers
        window.behind += late
        found: dict[str, object] = json.loads(read.body) if read.status == 200 else {}
        if not late and any(found.get(name) != value for name, value in entry.items()):
            window.failures.append(f"GET: {read.status} {read.body[:200]!r}")
