"""Where read models are, as seen by those who read: looked up, heard, and waited for."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import asyncpg
import msgspec

from treering.errors import (
    DeclarationError,
    ReadModelAway,
    StoreError,
    StoreNotReady,
    StoreUnavailable,
)  # fmt: skip
from treering.message import Position
from treering.projection.announcing import announce, application
from treering.projection.build import Build, current, found_in, schema_for
from treering.projection.declaration import Projection
from treering.projection.status import Status, status_of, why_away
from treering.projection.telling import channel_of
from treering.reading.rows import Standing, Told
from treering.sql import statement
from treering.store import Reader
from treering.store.connecting import connect, translated

_HEARING = 1.0
"""Seconds after which a position is looked up although it should be heard."""
_DEAF = 0.05
"""The same where nothing can be heard, such as on a replica."""
_AGAIN = 2.0
"""Seconds until it tries again to hear."""
_moves = msgspec.json.Decoder(list[tuple[str, int, Position]])


class Progress:
    """The current builds of *projections*, in the versions that are declared here."""

    def __init__(self, reader: Reader, projections: Sequence[Projection]) -> None:
        self._reader = reader
        self._schema = schema_for(reader.namespace)
        self._versions = {each.name: each.version for each in projections}
        self._builds: dict[str, Build] = {}
        self._older: frozenset[str] = frozenset()
        """Read models of which another version serves."""
        self._positions: dict[tuple[str, int], Position] = {}
        """Where builds were heard to be."""
        self._told = Told()
        self._moved = asyncio.Event()
        self._looking: asyncio.Future[Position] | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._hears = False

    async def close(self) -> None:
        """Hear no more."""
        if self._hearing is not None:
            self._hearing.cancel()
            await asyncio.wait({self._hearing})

    async def build(self, name: str, *, again: bool = False) -> Build:
        """Return the current build; looks it up if it is not known, or *again*."""
        self._check(name)
        if again or not self._can_be_read(name):
            await self._look()
        if name not in self._builds:
            if name in self._older:
                raise ReadModelAway(f"{name} is not built for this release yet; try again.")
            raise StoreNotReady(f"The read model {name!r} is not built yet; start a projector.")
        found = self._builds[name]
        if not self._can_be_read(name):
            raise ReadModelAway(why_away(found))
        return found

    def mark(self, name: str) -> str:
        """Return the declared version and the build that is known, as one word."""
        build = self._builds.get(name)
        return f"{self._versions[name]}.{build.build if build else 0}"

    def hears(self, name: str) -> bool:
        """Say whether it is heard where *name* is, and what changes there."""
        return self._hears and name in self._builds

    def standing(self, build: Build, key: str | None) -> Standing | None:
        """Return since when the row called *key*, or any, is as it is; None: nothing is heard."""
        return self._told.standing(build, self._known(build), key)

    def stands(self, build: Build, standing: Standing) -> bool:
        """Say whether that build is still what is read, and has been heard of all the time."""
        now = self._builds.get(build.name)
        return now is not None and now.build == build.build and self._told.stands(standing)

    async def status(self) -> list[Status]:
        """Return how far each read model is, looked up now."""
        head = await self._look()
        return [self._status(name, head) for name in self._versions]

    def announce(self) -> None:
        """Say, as long as this is open, that these versions are declared here; hear of them."""
        if self._hearing is None:
            self._hearing = asyncio.create_task(self._hear(), name="read models' progress")

    async def all(self) -> list[Status]:
        """Return how far all builds are, those of other versions and read models too."""
        rows = await self._rows(None)
        return [status_of(each, rows[0]["head"]) for each in found_in(rows)]

    async def wait(self, name: str, position: Position, timeout: float) -> bool:
        """Say whether *name* shows *position*; see `ReadModels.wait`."""
        self._check(name)
        self.announce()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                if not self._can_be_read(name):
                    await self._news()
                while (found := self._shows(name, position)) is None:
                    await self._news()
                return found
        return False

    def _check(self, name: str) -> None:
        if name not in self._versions:
            raise DeclarationError(f"There is no read model {name!r}.")

    def _can_be_read(self, name: str) -> bool:
        """Say whether it was taken up, or there is nothing else to read."""
        build = self._builds.get(name)
        return build is not None and (build.serves or name not in self._older)

    def _shows(self, name: str, position: Position) -> bool | None:
        """Say what is known of it; None: it may become true."""
        build = self._builds.get(name)
        if build is None:
            return None
        if self._known(build) >= position and self._can_be_read(name):
            return True
        return False if build.state == "stopped" or build.is_held else None

    def _known(self, build: Build) -> Position:
        return max(self._positions.get((build.name, build.build), 0), build.position)

    async def _news(self) -> None:
        """Wait until something has moved, or look it up where nothing is heard of it."""
        moved = self._moved
        if self._hears:
            with suppress(TimeoutError):
                async with asyncio.timeout(_HEARING):
                    await moved.wait()
                    return
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look())
            self._looking.add_done_callback(_retrieve)
        with suppress(StoreUnavailable):
            await asyncio.shield(self._looking)
        if not self._hears and moved is self._moved:
            await asyncio.sleep(_DEAF)

    async def _look(self) -> Position:
        """Look up where all builds are; return the store's head."""
        rows = await self._rows([*self._versions])
        self._take(found_in(rows))
        return rows[0]["head"]

    async def _rows(self, names: Sequence[str] | None) -> Sequence[Any]:
        """Return where the store and the builds are; without builds if none was ever made."""
        try:
            return await self._reader.fetch(statement("projection_builds"), names)
        except StoreNotReady as error:
            if not isinstance(error.__cause__, asyncpg.UndefinedTableError):
                raise
            return [{"head": (await self._reader.head()).position, "name": None}]

    def _take(self, builds: Sequence[Build]) -> None:
        """Take note of which *builds* there are, the newest first."""
        found: dict[str, Build] = {}
        for name, version in self._versions.items():
            if build := current([each for each in builds if each.name == name], version):
                found[name] = build
        self._builds = found
        self._older = frozenset(
            each.name
            for each in builds
            if each.serves and not each.stands_for(self._versions[each.name])
        )
        there = {each.id for each in builds}
        self._positions = {id_: at for id_, at in self._positions.items() if id_ in there}

    def _status(self, name: str, head: Position) -> Status:
        build = self._builds.get(name)
        if build is None:
            version = self._versions[name]
            return Status(name=name, version=version, build=0, position=0, lag=head, state="behind")
        return status_of(build, head)

    async def _hear(self) -> None:
        """Hear what projectors say, for ever."""
        while True:
            with suppress(StoreError):
                await self._hear_once()
            self._hears = False
            self._told.end()
            await asyncio.sleep(_AGAIN)

    async def _hear_once(self) -> None:
        over = asyncio.Event()
        connection = await connect(self._reader.url, settings=application("gateway"))
        try:
            connection.add_termination_listener(lambda _: over.set())
            with translated():
                await announce(connection, self._schema, self._versions)
                await connection.add_listener(channel_of(self._schema), self._told.take)
                await connection.add_listener(self._schema, self._heard)
            self._told.begin((await self._reader.head()).epoch)
            self._positions.clear()
            await self._look()
            self._told.heard(self._builds.values())
            self._hears = True
            self._wake()
            await over.wait()
        finally:
            connection.terminate()

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        """Take in where builds are; anything else that is said means to look."""
        text = str(payload)
        if not text.startswith("["):
            self._looking = asyncio.ensure_future(self._look())
            self._looking.add_done_callback(self._looked)
            return
        for name, build, position in _moves.decode(text):
            self._positions[name, build] = position
        self._wake()

    def _looked(self, looking: asyncio.Future[Position]) -> None:
        _retrieve(looking)
        self._wake()

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()


def _retrieve(looking: asyncio.Future[Position]) -> None:
    """Take note of an error that nobody waits for any more."""
    if not looking.cancelled():
        looking.exception()
