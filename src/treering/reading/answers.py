"""What comes back from a read model: one row, or a page of them."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from treering.message import Position
from treering.query import Cursor


@dataclass(frozen=True, slots=True)
class Found:
    """One row."""

    text: str
    """The JSON text of an object."""
    version: int | None
    """Of the entity, where the row is one."""
    mark: str = field(compare=False)
    """Which build the row is of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of rows."""

    items: str
    """The JSON text of an array."""
    total: int | None
    """Rows there are on all pages, if they were to be counted."""
    rows: int = 0
    """Rows there are here."""
    position: Position = 0
    """Up to which event they are folded."""
    mark: str = field(default="", compare=False)
    """Which build the rows are of."""
    next: Cursor | None = None
    """Where the rows after these begin, of those that were asked for by a cursor."""
    previous: Cursor | None = None
    """Where the rows before these begin, backwards."""


def stretched(row: Any, cursor: Cursor) -> Listing:
    """Return the rows that were found, and how to go on from both of their ends."""
    places = [tuple(msgspec.json.decode(place)) for place in row["places"] or ()]
    if not places:
        return Listing(items=row["items"], total=row["total"], position=row["position"])
    before = Cursor(place=places[0], is_backwards=True)
    after = Cursor(place=places[-1])
    has_before, has_after = bool(cursor.place), row["is_more"]
    if cursor.is_backwards:
        has_before, has_after = has_after, has_before
    return Listing(
        items=row["items"],
        total=row["total"],
        rows=len(places),
        position=row["position"],
        next=after if has_after else None,
        previous=before if has_before else None,
    )
