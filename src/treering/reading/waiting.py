"""What a task has waited for: what it reads then is no older, whoever is asked."""

from collections.abc import Mapping
from contextvars import ContextVar

from treering.message import Position

_positions = ContextVar[Mapping[str, Position] | None]("waited for", default=None)


def has_waited(name: str, position: Position) -> None:
    """Take note that this task has seen the read model called *name* reach *position*."""
    known = _positions.get() or {}
    if known.get(name, 0) < position:
        _positions.set({**known, name: position})


def waited_for(name: str) -> Position:
    """Return how far this task has seen the read model called *name*."""
    known = _positions.get()
    return known.get(name, 0) if known else 0
