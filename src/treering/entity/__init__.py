"""Entities: a declaration, and the commands, events and rules that follow from it."""

from treering.entity.ageing import Deprecated
from treering.entity.declaration import Entity
from treering.entity.declared import Declaration
from treering.entity.evolution import renamed
from treering.entity.messages import (
    Bulk,
    Create,
    Created,
    Delete,
    Deleted,
    Fields,
    Patch,
    Purge,
    Purged,
    Replace,
    Replaced,
    Restore,
    Restored,
    Tag,
    Tagged,
    Untag,
    Untagged,
    Update,
    Updated,
)  # fmt: skip
from treering.entity.rules import EntityState
from treering.entity.validation import stamp

__all__ = [
    "Bulk", "Create", "Created", "Declaration", "Delete", "Deleted", "Deprecated", "Entity",
    "EntityState",
    "Fields", "Patch", "Purge", "Purged", "Replace", "Replaced", "Restore", "Restored", "Tag",
    "Tagged", "Untag", "Untagged", "Update", "Updated", "renamed", "stamp",
]  # fmt: skip
