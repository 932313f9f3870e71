"""The shapes of messages and read models, revision by revision."""

from treering.schema.registry import (
    SCHEMAS,
    Schema,
    SchemaRegistry,
    SchemaVersion,
    described,
    split,
)
from treering.schema.shape import Difference, differences, is_same

__all__ = [
    "SCHEMAS", "Difference", "Schema", "SchemaRegistry", "SchemaVersion", "described",
    "differences", "is_same", "split",
]  # fmt: skip
