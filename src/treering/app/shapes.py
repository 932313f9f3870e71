"""JSON Schemas compared: the same, compatible, or not; and those of read models."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, DateTime, Double, Integer, Numeric
from sqlalchemy.types import TypeEngine

from treering.entity import Entity
from treering.projection import Projection

type Schema = Mapping[str, Any]

_WORDS = {"$id", "$schema", "description", "examples", "title"}
"""What a schema says to people."""
_TEXT: Schema = {"type": "string"}
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


def is_same(old: Schema, new: Schema) -> bool:
    """Tell whether both allow the same, whatever they say to people."""
    return _bare(old) == _bare(new)


def is_compatible(old: Schema, new: Schema) -> str:
    """Return why readers and writers of *old* do not get along with *new*; nothing if they do.

    Only a further field that need not be there is compatible.
    """
    before, after = _bare(old), _bare(new)
    fields, more = before.pop("properties", {}), after.pop("properties", {})
    required, now = before.pop("required", []), after.pop("required", [])
    after["$defs"] = {
        name: each
        for name, each in after.get("$defs", {}).items()
        if name in before.get("$defs", {})
    }
    before.setdefault("$defs", {})
    for name, field in fields.items():
        if name not in more:
            return f"lost its field {name!r}"
        if more[name] != field:
            return f"changed its field {name!r}"
    if sorted(required) != sorted(now):
        return "changed which fields must be there"
    return "" if before == after else "changed its shape"


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
        "properties": {column.name: _column(column) for column in shown},
        "required": [column.name for column in shown],
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


def _bare(schema: Any) -> Any:
    """Return *schema* without words, its reference at the top resolved."""
    if isinstance(schema, list):
        return [_bare(each) for each in cast("list[Any]", schema)]
    if not isinstance(schema, Mapping):
        return schema
    said = cast("Schema", schema)
    bare = {
        name: {key: _bare(each) for key, each in value.items()}
        if name in ("properties", "$defs")
        else _bare(value)
        for name, value in said.items()
        if name not in _WORDS
    }
    reference = str(bare.pop("$ref", "") if "$defs" in bare else "")
    return bare | bare["$defs"][reference.rpartition("/")[2]] if reference else bare
