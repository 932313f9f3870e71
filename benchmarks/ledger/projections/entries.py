"""The entries, as their own read model would have them: a fold whose code can be changed."""

from collections.abc import Iterable
from typing import Any

from service import Entry
from treering import Recorded
from treering.projection import Change, projection
from treering.projection.entity import EntityFold, table_of

table = table_of(Entry, "entries")
fold = EntityFold(table)


@projection("entries", tables=[table], kinds={"entry"})
def entries(recorded: Recorded[Any]) -> Iterable[Change]:
    """Return what follows for the row."""
    return fold(recorded)
