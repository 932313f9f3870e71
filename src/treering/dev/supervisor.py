"""The parent of `treering dev`: owns the servers and two children, and keeps all of them alive.

Nothing outlives it, whatever way it ends: servers and children notice.
"""

import asyncio
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from treering import metrics
from treering.dev import announcement, places
from treering.dev.announcement import Announcement
from treering.dev.child import Child, Failure
from treering.dev.keeper import Keeper
from treering.dev.readiness import missing
from treering.dev.refusal import Refusal
from treering.dev.reloading import reload
from treering.dev.screen import Screen
from treering.dev.trial import lines
from treering.dev.upgrading import upgrade
from treering.embedded import Addresses, Servers
from treering.errors import ServerError, TreeringError
from treering.roots import SERVICE, home_of, kit_root, user_root
from treering.settings import Settings

CHILDREN: Mapping[str, Sequence[str]] = {
    "gateway": ["gateway"],
    "service": ["handler", "relay", "projector"],
}
_LOOK_SECONDS = 0.5
_LONGEST = 5.0
_SPARE_SECONDS = 2.0


class Supervisor:
    """One run of `treering dev`."""

    def __init__(self, settings: Settings, *, reload: bool = False, screen: Screen) -> None:
        self._home = home_of(settings)
        self._home.mkdir(parents=True, exist_ok=True)
        key = settings.secret or places.secret(self._home)
        self._settings = settings.model_copy(update={"secret": key, "home": self._home})
        self._reload = reload
        self._screen = screen
        self._begun = time.monotonic()
        self._listener = places.listener(settings)
        self._http = places.http_of(self._listener)
        self._refusal = Refusal(self._listener)
        self._metrics = self._home / "metrics"
        self._environment = metrics.sharing(self._metrics)
        self._servers = Servers(self._home, places.server_options(settings), report=screen.step)
        self._keepers = [
            Keeper(name=name, roles=roles, parent=self, start=self._start_child)
            for name, roles in CHILDREN.items()
        ]
        self._fresh = settings.database is None and not (self._home / "postgres").exists()
        self.one_broker = settings.kafka is None
        self._upgrading = asyncio.Lock()
        self._ready = False
        self._missing = ""
        """Which read models its gateway has been waiting for: it may take a command to go on."""
        self._settled: Settings | None = None
        self._loaded: Mapping[str, Any] = {}

    async def run(self) -> int:
        """Run until told to stop, or until it can not be started; return the exit status."""
        loop = asyncio.get_running_loop()
        self._addresses: asyncio.Future[Addresses] = loop.create_future()
        self._ending: asyncio.Future[int] = loop.create_future()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._told_to_stop, number)
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(self._serve())
            parts = [self._show(), *(keeper.keep() for keeper in self._keepers)]
            tasks = [group.create_task(part) for part in parts]
            if self._reload:
                tasks.append(group.create_task(self._watch()))
            status = await self._ending
            await self._stop(status, serving)
            for task in tasks:
                task.cancel()
        return status

    async def addresses(self, loaded: Mapping[str, Any]) -> Settings:
        """Return settings with the servers' addresses once these answer and have their schema."""
        found = await asyncio.shield(self._addresses)
        self._loaded = loaded
        self._settled = places.settled(self._settings, found, loaded["namespace"])
        if self._fresh:
            await self._upgrade()
        self._announce()
        self._refusal.end()
        return self._settled

    def ended(self, pid: int) -> None:
        """Forget what a child said of itself that is true only while it lives."""
        metrics.forget(self._metrics, pid)

    async def failed(self, keeper: Keeper, failure: Failure) -> bool:
        """Take note that a child ended by itself; tell whether it can be started again at once."""
        if failure.kind == "StoreNotReady" and failure.reason != keeper.upgraded_for:
            keeper.upgraded_for = failure.reason
            return await self._upgrade()
        if failure.reason and not self._ready and not self._reload:
            self._end(1, failure.reason)
        elif failure.reason:
            self._screen.complained(failure.reason)
            if keeper.name == "gateway":
                await self._refusal.begin(failure.reason)
        else:
            self._screen.warned(f"The {keeper.name} has ended; starting it again.")
        return False

    async def _serve(self) -> None:
        """Start the servers, then start again whichever dies."""
        try:
            self._addresses.set_result(await asyncio.to_thread(self._servers.start))
        except ServerError as error:
            self._end(1, str(error))
            return
        pause = _LOOK_SECONDS
        while not (await asyncio.wait([self._ending], timeout=pause))[0]:
            if (dead := self._servers.dead()) is None:
                pause = _LOOK_SECONDS
                continue
            self._screen.warned(f"{dead} has ended; starting it again.")
            try:
                await asyncio.to_thread(self._servers.revive)
            except ServerError as error:
                self._screen.complained(str(error))
                pause = min(pause * 2, _LONGEST)
            self._announce()

    async def _show(self) -> None:
        """Wait until a request can be answered, then say what runs and where."""
        found = await asyncio.shield(self._addresses)
        async for read_models in missing(self._listener.getsockname()):
            self._missing = read_models
            self._announce()
            self._screen.waits(read_models)
        self._ready, self._missing = True, ""
        self._announce()
        shown = {"HTTP": self._http, "Kafka": found.kafka, "PostgreSQL": found.database}
        title = f"{self._loaded['name']} {self._loaded['version']}"
        if user_root(self._settings) is None:
            self._screen.warned(
                f"There is no {SERVICE} in {Path.cwd()}: what is served is the kit's own service."
            )
        seconds = time.monotonic() - self._begun
        self._screen.started(title, shown, lines(self._http, self._loaded["trial"]), seconds)
        if not places.is_loopback(self._settings):
            self._screen.warned(
                f"{self._settings.host} can be reached from other machines, and nobody is asked "
                "who they are."
            )

    async def _watch(self) -> None:
        await reload(
            user_root(self._settings) or kit_root(),
            self._keepers,
            seconds=self._settings.drain_seconds,
            screen=self._screen,
            refusal=self._refusal,
        )

    async def _start_child(self, roles: Sequence[str]) -> Child:
        listener = self._listener.fileno() if "gateway" in roles else None
        return await Child.start(
            roles,
            self._settings,
            environment=self._environment,
            said=self._screen.said,
            listener=listener,
        )

    async def _upgrade(self) -> bool:
        """Bring the database up to date and say what that changed; tell whether it could be."""
        async with self._upgrading:
            if self._settled is None:
                return False
            try:
                said = await upgrade(self._settled)
            except TreeringError as error:
                if self._reload and self._ready:
                    self._screen.complained(str(error))
                else:
                    self._end(1, str(error))
                return False
            _, *changes = said.splitlines()
            if changes and not self._fresh:
                self._screen.said("\n".join(changes))
            self._fresh = False
            return True

    def _announce(self) -> None:
        if self._settled is None or not (self._ready or self._missing):
            return
        told = Announcement(
            pid=os.getpid(),
            http=self._http,
            kafka=self._settled.kafka or "",
            database=self._settled.database or "",
            database_owner=self._settled.database_owner or "",
            database_reader=self._settled.database_reader or "",
            namespace=self._loaded["namespace"],
            waiting_for=self._missing,
            processes={
                **{each.name: each.child.pid for each in self._keepers if each.child},
                **self._servers.pids,
            },
        )
        announcement.write(self._home, told)

    def _told_to_stop(self, number: int) -> None:
        if self._ending.done():
            self._leave(128 + number)
        self._screen.said(f"Stopping, within {self._settings.drain_seconds:.0f} s.")
        self._end(0)

    def _end(self, status: int, reason: str = "") -> None:
        if not self._ending.done():
            if reason:
                self._screen.failed(reason)
            self._ending.set_result(status)

    async def _stop(self, status: int, serving: asyncio.Task[None]) -> None:
        """Stop the gateway, so that nobody waits for an answer; then the rest; then the servers."""
        self._screen.done()
        self._refusal.end()
        if not self._addresses.done():
            # A server that is being started can not be called back; it ends when we do.
            self._leave(status)
        for keeper in self._keepers:
            await keeper.stop(self._settings.drain_seconds + _SPARE_SECONDS)
        announcement.remove(self._home)
        await serving
        await asyncio.to_thread(self._servers.stop)
        self._listener.close()

    def _leave(self, status: int) -> NoReturn:
        """End now; all that was started ends with us."""
        for keeper in self._keepers:
            if keeper.child:
                keeper.child.kill()
        os._exit(status)
