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
_LOAD_SECONDS = 60.0
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
    fresh: Child | None = None
    """What has loaded the code that changed, and takes the child's place next."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the child's code has changed."""
    upgraded_for: str = ""
    """Why the database was brought up to date for this code the last time."""
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
        self.discard()
        await self.replace(seconds)

    async def prepare(self) -> Failure | None:
        """Load the code that has changed, beside the child; return why that can not be done."""
        child = await self.start(self.roles)
        try:
            async with asyncio.timeout(_LOAD_SECONDS):
                if await child.loaded() is not None:
                    self.discard()
                    self.fresh = child
                    return None
            await child.ended()
        except TimeoutError:
            child.failure = Failure(
                reason=f"The {self.name} did not load in {_LOAD_SECONDS:.0f} s."
            )
        finally:
            if self.fresh is not child:
                child.kill()
                self.parent.ended(child.pid)
        return child.failure

    async def replace(self, seconds: float) -> None:
        """End the child, which may finish what it began: what was prepared takes its place."""
        self.changed.set()
        self.upgraded_for = ""
        if self.child:
            await self.child.stop(seconds)

    def discard(self) -> None:
        """Do without what was prepared."""
        if self.fresh:
            self.fresh.kill()
            self.fresh = None

    async def _live(self) -> Failure:
        """Have a child in the place, the one prepared if there is one; return why it ended."""
        child = self.child = self.fresh or await self.start(self.roles)
        if child is self.fresh:
            self.fresh = None
        try:
            if self.changed.is_set():
                return child.failure
            if (loaded := await child.loaded()) is not None:
                settings = await self.parent.addresses(loaded)
                child.go(settings, one_broker=self.parent.one_broker)
            await child.ended()
        finally:
            child.kill()
            self.child = None
            self.parent.ended(child.pid)
        return child.failure
