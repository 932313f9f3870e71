"""One read model on its way: the build it writes to, where it stands, what it has not written."""

from collections.abc import Collection, Sequence
from pathlib import Path
from traceback import extract_tb
from typing import Any

import asyncpg
import msgspec

from treering.domain.projection import projection as rules
from treering.domain.projection import stream_of
from treering.errors import BadRequest
from treering.message import Erased, Position, Recorded, Stored
from treering.projection.build import Build, State, tables_of
from treering.projection.declaration import Projection
from treering.projection.net import Net
from treering.projection.telling import Changed, keys_of
from treering.projection.writer import Writer
from treering.registry import Registry
from treering.store import Reader


class Mark(msgspec.Struct, frozen=True):
    """A position, and the id of the event there; empty: not looked up."""

    position: Position = 0
    event: str = ""


class Failure(msgspec.Struct, frozen=True):
    """The event that a read model can not fold, and why."""

    position: Position
    reason: str


class Follower:
    """Folds events of one projection into net changes; `Pack` has them written."""

    def __init__(
        self, projection: Projection, build: Build, schema: str, skips: Collection[Position] = ()
    ) -> None:
        self.projection = projection
        self.build = build
        self.skips = frozenset(skips)
        self.state: State = "live" if build.state == "live" else "building"
        self.differs = "" if build.serves else build.differs
        """How it differs from what it is to replace; None: not compared yet."""
        self.failure: Failure | None = None
        self.written = self.reached = Mark(build.position, build.event)
        """What the tables show, and with what is not written yet."""
        self.folded = 0
        """Events folded since it was last written."""
        self._net = Net()
        self._shown = projection.tables[0]
        self._writers = {
            table: Writer(named) for table, named in tables_of(projection, build, schema).items()
        }

    @property
    def name(self) -> str:
        """The read model's name."""
        return self.projection.name

    @property
    def rows(self) -> int:
        """Rows that wait to be written."""
        return len(self._net)

    @property
    def is_moving(self) -> bool:
        """Whether there is anything to note in the database."""
        return self.failure is not None or self.reached.position > self.written.position

    def fold(self, recorded: Recorded[Any]) -> None:
        """Take the event in; whatever its fold raises stops this read model, and no other."""
        if type(recorded.event) is Erased:
            return
        self.folded += 1
        try:
            self._net.add(self.projection.fold(recorded))
        except Exception as error:  # noqa: BLE001 - a user's code, and the policy is to stop
            self.fail(recorded.position, f"{type(error).__name__}: {error} ({_place(error)})")

    def wants(self, position: Position) -> bool:
        """Say whether the event at *position* is still to be folded."""
        return (
            self.failure is None and position > self.reached.position and position not in self.skips
        )

    def fail(self, position: Position, reason: str) -> None:
        """Stop before the event at *position*."""
        self.failure = Failure(position, reason)
        self.reached = Mark(position - 1)

    def discard(self) -> None:
        """Go back to what is written."""
        self._net = Net()
        self.folded = 0
        self.failure = None
        self.reached = self.written

    async def write(self, connection: asyncpg.Connection) -> None:
        """Write what waits, in a transaction that is not this one's to end."""
        is_empty = self.written.position == 0
        for table, rows in self._net.tables.items():
            if (writer := self._writers.get(table)) is None:
                raise BadRequest(f"{self.name} has no table {table.name!r}.")
            await (writer.copy if is_empty else writer.write)(connection, rows)

    def changed(self) -> Changed:
        """Return which rows of the table that is shown differ once all that waits is written."""
        rows = self._net.tables.get(self._shown, ())
        return Changed(
            name=self.name,
            build=self.build.build,
            before=self.written.position,
            position=self.reached.position,
            keys=keys_of(rows),
        )

    def settle(self) -> None:
        """Take note that it is written."""
        self._net = Net()
        self.folded = 0
        self.written = self.reached


def _place(error: Exception) -> str:
    """Return where in the fold's code it was raised."""
    frame = extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}, line {frame.lineno}"


async def skips_of(reader: Reader, registry: Registry, name: str) -> frozenset[Position]:
    """Return the positions that the read model called *name* passes over."""
    found: Sequence[Stored] = await reader.read_stream(stream_of(name))
    return rules.fold(rules.initial, [registry.recorded(stored) for stored in found])
