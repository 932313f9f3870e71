"""What entities look like on HTTP: shown, created and changed."""

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from treering.entity import Entity, Tag, Untag
from treering.entity.operation import Operation
from treering.gateway.collection import Collection, Table
from treering.gateway.openapi.operations import Described

_SHOWN: Mapping[str, Described] = {
    "id": {"type": "string", "readOnly": True, "examples": ["01JD3V0M7P3M1V9B6Q2WZ1X5YK"]},
    "created_at": {"type": "string", "format": "date-time", "readOnly": True},
    "updated_at": {"type": "string", "format": "date-time", "readOnly": True},
    "deleted_at": {
        "type": "string",
        "format": "date-time",
        "readOnly": True,
        "description": "Only of what is deleted.",
    },
}


def name_of(table: Table) -> str:
    """Return what the components are called: of an entity's kind, or of a further read model."""
    if isinstance(table, Collection):
        return _name(table.entity)
    return f"{_words(table.read_model)}Row"


def row(table: Table) -> dict[str, Described]:
    """Return the component of a further read model."""
    return {name_of(table): {"type": "object", **table.schema}}


def _name(entity: type[Entity]) -> str:
    return _words(entity.declaration.kind)


def _words(said: str) -> str:
    return "".join(word.capitalize() for word in re.split("[-_]", said))


def shapes(entity: type[Entity]) -> dict[str, Described]:
    """Return the components of one entity, by their names."""
    name = _name(entity)
    shown = _schema(entity, name, "serialization")
    made = _schema(entity, f"{name}New", "validation")
    found = {**shown.pop("$defs", {}), **made.pop("$defs", {})}
    found[name] = shown | {
        "properties": {**_SHOWN, **shown["properties"]},
        "required": ["id", "created_at", "updated_at"],
        "additionalProperties": True,
    }
    found[f"{name}New"] = made | {"properties": {"id": {"type": "string"}, **made["properties"]}}
    for each in entity.declaration.operations:
        found |= asked(entity, each)[1]
    found[f"{name}Change"] = {name: value for name, value in made.items() if name != "required"}
    return found


def asked(entity: type[Entity], operation: Operation) -> tuple[Described, dict[str, Described]]:
    """Return the schema of an operation's body, and the components that it refers to."""
    if operation.body in {Tag, Untag}:
        tags = _schema(entity, f"{_name(entity)}New", "validation")["properties"]["tags"]
        said: Described = {"type": "object", "required": ["tags"], "properties": {"tags": tags}}
        return said, {}
    prefix = f"{_name(entity)}.command."
    template = f"#/components/schemas/{prefix}{{name}}"
    (schema,), found = msgspec.json.schema_components([operation.body], ref_template=template)
    return schema, {f"{prefix}{name}": each for name, each in found.items()}


def _schema(entity: type[Entity], name: str, mode: Literal["serialization", "validation"]) -> Any:
    """Return the schema, the models within it under names that begin with *name*."""
    template = f"#/components/schemas/{name}.{{model}}"
    schema = entity.model_json_schema(mode=mode, ref_template=template)
    within = {f"{name}.{each}": said for each, said in schema.pop("$defs", {}).items()}
    return {**schema, **({"$defs": within} if within else {})}
