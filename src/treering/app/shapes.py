"""JSON Schemas of what is shown: an item of a read model."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, DateTime, Double, Integer, Numeric
from sqlalchemy.types import TypeEngine

from treering.entity import Entity
from treering.projection import Projection
from treering.schema import Schema

_TYPES: Sequence[tuple[type[TypeEngine[Any]], Schema]] = (
    (Boolean, {"type": "boolean"}),
    (BigInteger, {"type": "integer"}),
    (Integer, {"type": "integer"}),
    (Double, {"type": "number"}),
    (Numeric, {"type": "number"}),
    (DateTime, {"type": "string", "format": "date-time"}),
    (Date, {"type": "string", "format": "date"}),
    (JSON, {}),
)


def read_model(projection: Projection, entities: Sequence[type[Entity]]) -> Schema:
    """Return the schema of one item of a read model."""
    for entity in entities:
        declaration = entity.declaration
        if projection.name == declaration.plural and "_version" in projection.tables[0].columns:
            return _entity(entity)
    table = projection.tables[0]
    shown = [column for column in table.columns if not column.name.startswith("_")]
    return {
        "title": projection.name,
        "type": "object",
        "properties": {str(column.name): _column(column) for column in shown},
        "required": [str(column.name) for column in shown],
    }


def _entity(entity: type[Entity]) -> Schema:
    schema = entity.model_json_schema(mode="serialization")
    moment = {"type": "string", "format": "date-time"}
    own = {
        "id": {"type": "string"},
        "created_at": moment,
        "updated_at": moment,
        "deleted_at": {**moment, "description": "Only when it is deleted."},
    }
    return schema | {
        "title": entity.declaration.kind,
        "properties": own | schema["properties"],
        "required": ["id", "created_at", "updated_at", *schema.get("required", [])],
        "additionalProperties": True,
    }


def _column(column: Column[Any]) -> Schema:
    found = next(
        (said for kind, said in _TYPES if isinstance(column.type, kind)), {"type": "string"}
    )
    if column.nullable and "type" in found:
        return {**found, "type": [found["type"], "null"]}
    return found
