"""Examples of what a JSON Schema describes: the first value that fits, the same each time."""

from collections.abc import Mapping
from typing import Any

type Schema = Mapping[str, Any]

_TEXTS = {
    "date-time": "2026-01-31T12:00:00.000000Z",
    "date": "2026-01-31",
    "time": "12:00:00",
    "email": "ada@example.org",
    "uri": "https://example.org",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_DEEPEST = 8


def example(schema: Schema, components: Mapping[str, Schema], deep: int = _DEEPEST) -> Any:
    """Return a value that *schema* takes, its references being to *components*."""
    if "$ref" in schema:
        return example(components[schema["$ref"].rpartition("/")[2]], components, deep)
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return example(schema[key][0], components, deep)
    return _made(schema, components, deep)


def _made(schema: Schema, components: Mapping[str, Schema], deep: int) -> Any:
    match schema.get("type"):
        case "object" if deep:
            members: Mapping[str, Schema] = schema.get("properties", {})
            return {name: example(each, components, deep - 1) for name, each in members.items()}
        case "array" if deep and schema.get("minItems", 0):
            return [example(schema.get("items", {}), components, deep - 1)] * schema["minItems"]
        case "object":
            return {}
        case "array":
            return []
        case "string":
            return _text(schema)
        case "integer" | "number":
            return _number(schema)
        case "boolean":
            return True
        case _:
            return None


def _text(schema: Schema) -> str:
    text = _TEXTS.get(schema.get("format", ""), "text")
    return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]


def _number(schema: Schema) -> float:
    if "minimum" in schema:
        return schema["minimum"]
    if "exclusiveMinimum" in schema:
        return schema["exclusiveMinimum"] + 1
    return min(1, schema.get("maximum", 1))
