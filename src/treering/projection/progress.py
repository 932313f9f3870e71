"""How far read models are, as seen by those who read: looked up, heard, and waited for."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import asyncpg
import msgspec

from treering.errors import DeclarationError, StoreError, StoreNotReady, StoreUnavailable
from treering.message import Position
from treering.projection.build import Build, build_of, schema_for
from treering.projection.declaration import Projection
from treering.sql import statement
from treering.store import Reader
from treering.store.connecting import connect, translated

_HEARING = 1.0
"""Seconds after which a position is looked up although it should be heard."""
_DEAF = 0.05
"""The same where nothing can be heard, such as on a replica."""
_FAR = 10_000
"""Events that a live read model may lack before it counts as behind."""

_AGAIN = 2.0
"""Seconds until it tries again to hear."""
_moves = msgspec.json.Decoder(list[tuple[str, int, Position]])

type ModelState = Literal["live", "behind", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How far one read model is."""

    name: str
    version: str
    build: int
    """0: no projector has made its tables yet."""
    position: Position
    lag: int
    """Events that it does not show yet."""
    state: ModelState
    """`behind` until it has caught up, and when it lacks very much."""
    stopped_at: Position | None = None
    """The event that it can not fold."""
    reason: str | None = None


class Progress:
    """The current builds of *projections*, in the versions that are declared here."""

    def __init__(self, reader: Reader, projections: Sequence[Projection]) -> None:
        self._reader = reader
        self._schema = schema_for(reader.namespace)
        self._versions = {each.name: each.version for each in projections}
        self._builds: dict[str, Build] = {}
        self._positions: dict[tuple[str, int], Position] = {}
        """Where builds were heard to be."""
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
        if again or name not in self._builds:
            await self._look()
        if name not in self._builds:
            raise StoreNotReady(f"The read model {name!r} is not built yet; start a projector.")
        return self._builds[name]

    async def status(self) -> list[Status]:
        """Return how far each read model is, looked up now."""
        head = await self._look()
        return [self._status(name, head) for name in self._versions]

    async def wait(self, name: str, position: Position, timeout: float) -> bool:
        """Say whether *name* shows *position*; see `ReadModels.wait`."""
        self._check(name)
        if self._hearing is None:
            self._hearing = asyncio.create_task(self._hear(), name="read models' progress")
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while (found := self._shows(name, position)) is None:
                    await self._news()
                return found
        return False

    def _check(self, name: str) -> None:
        if name not in self._versions:
            raise DeclarationError(f"There is no read model {name!r}.")

    def _shows(self, name: str, position: Position) -> bool | None:
        """Say what is known of it; None: it may become true."""
        build = self._builds.get(name)
        if build is None:
            return None
        heard = self._positions.get((name, build.build), 0)
        if max(heard, build.position) >= position:
            return True
        return False if build.state == "stopped" else None

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
        sql, names = statement("projection_status"), [*self._versions]
        try:
            rows = await self._reader.fetch(sql, names)
        except StoreNotReady as error:
            if not isinstance(error.__cause__, asyncpg.UndefinedTableError):
                raise
            self._builds = {}
            return (await self._reader.head()).position
        found: dict[str, list[Build]] = {name: [] for name in names}
        for row in rows:
            if row["version"] == self._versions[row["name"]]:
                found[row["name"]].append(build_of(row))
        self._builds = {
            name: min(builds, key=lambda build: build.state == "building")
            for name, builds in found.items()
            if builds
        }
        return rows[0]["head"] if rows else 0

    def _status(self, name: str, head: Position) -> Status:
        build = self._builds.get(name)
        if build is None:
            version = self._versions[name]
            return Status(name=name, version=version, build=0, position=0, lag=head, state="behind")
        lag = max(0, head - build.position)
        is_behind = build.state == "building" or lag > _FAR
        return Status(
            name=name,
            version=build.version,
            build=build.build,
            position=build.position,
            lag=lag,
            state="stopped" if build.state == "stopped" else "behind" if is_behind else "live",
            stopped_at=build.stopped_at,
            reason=build.reason,
        )

    async def _hear(self) -> None:
        """Hear what projectors say, for ever."""
        while True:
            with suppress(StoreError):
                await self._hear_once()
            self._hears = False
            await asyncio.sleep(_AGAIN)

    async def _hear_once(self) -> None:
        over = asyncio.Event()
        connection = await connect(self._reader.url)
        try:
            connection.add_termination_listener(lambda _: over.set())
            with translated():
                await connection.add_listener(self._schema, self._heard)
            await self._look()
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
