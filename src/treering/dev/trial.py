"""Lines worth trying in a shell: a create that is accepted, a list, the health."""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from treering.entity import Entity

_JSON = "-H 'content-type: application/json'"
_VALUES: Mapping[str, Any] = {
    "string": "first",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "array": [],
    "object": {},
}


def trial(entities: Sequence[type[Entity]]) -> Mapping[str, Any]:
    """Return the name and the body of something to create, of the last entity that has one."""
    for entity in reversed(entities):
        body = example(entity)
        try:
            entity.model_validate(body)
        except ValidationError:
            continue
        return {"plural": entity.declaration.plural, "body": body}
    return {}


def example(entity: type[Entity]) -> dict[str, Any]:
    """Return values for the fields that a create must name."""
    schema = entity.model_json_schema()
    properties, parts = schema["properties"], schema.get("$defs", {})
    return {name: _value(properties[name], parts) for name in schema.get("required", [])}


def lines(http: str, found: Mapping[str, Any]) -> Sequence[str]:
    """Return the lines to try on the service at *http*."""
    if not found:
        return [f"curl {http}/health"]
    url = f"{http}/api/v1/{found['plural']}"
    body = shlex.quote(json.dumps(found["body"], ensure_ascii=False))
    return [f"curl -X POST {url} {_JSON} -d {body}", f"curl {url}", f"curl {http}/health"]


def _value(schema: Mapping[str, Any], parts: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        return _value(parts[schema["$ref"].rpartition("/")[2]], parts)
    if examples := schema.get("examples"):
        return examples[0]
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    for choice in schema.get("anyOf", ()):
        if choice.get("type") != "null":
            return _value(choice, parts)
    return _bounded(schema, _VALUES.get(schema.get("type", "")))


def _bounded(schema: Mapping[str, Any], value: Any) -> Any:
    """Return *value*, or a number that the schema's bounds allow."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        low = schema.get("minimum", schema.get("exclusiveMinimum", value - 1) + 1)
        return max(value, low)
    return value
