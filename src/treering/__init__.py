"""treering: commands in, events stored, read models out.

The public names. Each is imported when it is first used, so that `import treering` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from treering.decider import Decider
    from treering.entity import Deprecated, Entity, EntityState, Fields, renamed
    from treering.errors import Refusal, TreeringError
    from treering.message import Command, Event, Received, Recorded
    from treering.mount import Mount
    from treering.projection import Projection
    from treering.service import Service
    from treering.settings import Settings
    from treering.upcast import Upcast

__all__ = [
    "Command",
    "Decider",
    "Deprecated",
    "Entity",
    "EntityState",
    "Event",
    "Fields",
    "Mount",
    "Projection",
    "Received",
    "Recorded",
    "Refusal",
    "Service",
    "Settings",
    "TreeringError",
    "Upcast",
    "renamed",
]

_HOMES = {
    "Command": "message",
    "Decider": "decider",
    "Deprecated": "entity",
    "Entity": "entity",
    "EntityState": "entity",
    "Event": "message",
    "Fields": "entity",
    "Mount": "mount",
    "Projection": "projection",
    "Received": "message",
    "Recorded": "message",
    "Refusal": "errors",
    "Service": "service",
    "Settings": "settings",
    "TreeringError": "errors",
    "Upcast": "upcast",
    "renamed": "entity",
}


def __getattr__(name: str) -> Any:
    """Import a public name."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return found
