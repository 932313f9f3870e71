"""Keeps one child alive: starts it, waits for its end, starts it again after a pause that grows."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from treering.dev.child import Child, Failure
from treering.settings import Settings

_FIRST, _LONGEST = 0.1, 5.0
_STEADY_SECONDS = 10.0
"""A child that has lived for so long is started again without a pause."""


class Parent(Protocol):
    """What a keeper asks of whoever owns the servers."""

    one_broker: bool

    async def addresses(self, loaded: Mapping[str, Any]) -> Settings: ...
    def ended(self, pid: int) -> None: ...
    async def failed(self, keeper: "Keeper", failure: Failure) -> bool: ...


@dataclass(kw_only=True)
class Keeper:
    """One child's place; the children that fill it come and go."""

    name: str
    roles: Sequence[str]
    parent: Parent
    start: Callable[[Sequence[str]], Awaitable[Child]]
    child: Child | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the child's code has changed."""
    stopping: bool = False

    async def keep(self) -> None:
        """Have a child in the place until told to stop."""
        pause = _FIRST
        while not self.stopping:
            self.changed.clear()
            begun = time.monotonic()
            failure = await self._live()
            if self.stopping:
                return
            if time.monotonic() - begun > _STEADY_SECONDS:
                pause = _FIRST
            if self.changed.is_set() or (failure and await self.parent.failed(self, failure)):
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self.changed.wait()
            pause = min(pause * 2, _LONGEST)

    async def stop(self, seconds: float) -> None:
        """End the child, which may finish what it began, and start no other."""
        self.stopping = True
        self.changed.set()
        if self.child:
            await self.child.stop(seconds)

    async def replace(self, seconds: float) -> None:
        """Start the child anew, from code that has changed."""
        self.changed.set()
        if self.child:
            await self.child.stop(seconds)

    async def _live(self) -> Failure:
        """Start a child and wait for its end; return why it ended."""
        child = self.child = await self.start(self.roles)
        try:
            if (loaded := await child.loaded()) is not None:
                settings = await self.parent.addresses(loaded)
                child.go(settings, one_broker=self.parent.one_broker)
            await child.ended()
        finally:
            child.kill()
            self.child = None
            self.parent.ended(child.pid)
        return child.failure
