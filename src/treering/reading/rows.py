"""Which rows of one build have changed, as far as that was heard."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from treering.message import Position
from treering.projection.build import Build
from treering.projection.telling import Changed, heard

_KEPT = 10_000
"""Rows that are known one by one; all others count as changed when the oldest of these was."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What an answer has to be, to hold now."""

    position: Position
    """At which one that is asked for now is, or after it."""
    since: Position
    """From which on one holds."""
    epoch: str
    """Of the store."""
    hearing: int
    """How often it was begun to hear of rows."""


class Rows:
    """From which position on an answer about a row, or about several, holds.

    All that is not known counts as changed: what came to pass before *since*, and whatever was not
    told of.
    """

    def __init__(self, since: Position) -> None:
        self.covered = since
        """Up to which position it is known what changed."""
        self._any = self._floor = since
        """Where one of the rows changed last, and where one that is not known may have."""
        self._known: OrderedDict[str, Position] = OrderedDict()

    def take(self, changed: Changed) -> None:
        """Take in what a commit has changed."""
        position = changed.position
        if position <= self.covered:
            return
        if changed.keys is None or changed.before > self.covered:
            self._known.clear()
            self._any = self._floor = position
        elif changed.keys:
            self._any = position
            for key in changed.keys:
                self._known[key] = position
                self._known.move_to_end(key)
            while len(self._known) > _KEPT:
                _, self._floor = self._known.popitem(last=False)
        self.covered = position

    def since(self, key: str | None) -> Position:
        """Return where the row called *key*, or any row, changed last."""
        return self._any if key is None else self._known.get(key, self._floor)


class Told:
    """Which rows of all builds have changed, as long as that is heard without a pause."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, int], Rows] = {}
        self._epoch = ""
        self._hearing = 0
        self._hears = False

    def begin(self, epoch: str) -> None:
        """Forget what was heard before."""
        self._rows.clear()
        self._epoch = epoch
        self._hearing += 1

    def heard(self, builds: Iterable[Build]) -> None:
        """Take note where *builds* are now that all that follows is heard."""
        for each in builds:
            self._rows.setdefault((each.name, each.build), Rows(each.position))
        self._hears = True

    def end(self) -> None:
        """Take note that nothing is heard any more."""
        self._hears = False

    def take(self, _connection: object, _pid: int, _channel: str, said: object) -> None:
        """Take in what is told of a commit."""
        for each in heard(str(said)):
            key = each.name, each.build
            if (rows := self._rows.get(key)) is None:
                self._rows[key] = Rows(each.position)
            else:
                rows.take(each)

    def standing(self, build: Build, known: Position, key: str | None) -> Standing | None:
        """Return since when the row called *key*, or any, is as it is; None: nothing is heard.

        Where *known* is more than what was told of rows, any may have changed.
        """
        if not self._hears:
            return None
        rows = self._rows.get((build.name, build.build))
        if rows is None or rows.covered < known:
            return Standing(known, known, self._epoch, self._hearing)
        return Standing(rows.covered, rows.since(key), self._epoch, self._hearing)

    def stands(self, standing: Standing) -> bool:
        """Say whether all has been heard since."""
        return self._hears and standing.hearing == self._hearing
