"""The shapes that a store has had: what leads from one to the next, and what the way back loses."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from alembic.config import Config
from alembic.script import ScriptDirectory

from treering.errors import StoreNotReady
from treering.sql.migrations.steps import text_of

BASE, HEAD = "base", "head"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One shape: how it is reached from the one before, and what is lost on the way back."""

    name: str
    up: Sequence[str]
    """Names of SQL files, in order."""
    loses: str
    """In words, with a `{count}`."""
    count: str
    """The SQL that counts it."""

    @property
    def sql(self) -> str:
        """The statements that lead up to it."""
        return "\n".join(text_of(name) for name in self.up)


@cache
def scripts() -> ScriptDirectory:
    """Return the revisions as alembic runs them."""
    config = Config()
    config.set_main_option("script_location", str(files("treering.sql.migrations")))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


@cache
def revisions() -> Sequence[Revision]:
    """Return all revisions, the oldest first."""
    found = [
        Revision(
            name=each.revision,
            up=each.module.up,
            loses=each.module.loses,
            count=each.module.count,
        )
        for each in scripts().walk_revisions()
    ]
    return found[::-1]


def above(low: str | None, high: str) -> Sequence[Revision]:
    """Return the revisions after *low* up to *high*, the oldest first.

    Raises StoreNotReady if this release does not know one of them.
    """
    names = [each.name for each in revisions()]
    places = {None: 0, BASE: 0, HEAD: len(names)} | {name: n for n, name in enumerate(names, 1)}
    if low not in places:
        raise StoreNotReady(
            f"The store is at revision {low}, which this release does not know: it is older than "
            f"the store; run the newer one, or its `treering db downgrade --to {names[-1]}`."
        )
    if high not in places:
        raise StoreNotReady(f"There is no revision {high!r}; there are {BASE}, {', '.join(names)}.")
    return revisions()[places[low] : places[high]]
