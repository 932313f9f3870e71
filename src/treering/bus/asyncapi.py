"""The wire contract of a service as AsyncAPI 3, with the schemas of all its types."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import msgspec

from treering.bus.topics import Topics
from treering.message import Outcome
from treering.registry import Registry

type Document = dict[str, Any]

_TEXT = {"type": "string"}
_NUMBER = {"type": "string", "pattern": "^[0-9]+$"}
_TIME = {"type": "string", "format": "date-time"}
_COMMAND_HEADERS: Mapping[str, Document] = {
    "ce_id": {"type": "string", "maxLength": 128},
    "ce_subject": _TEXT,
    "ce_time": _TIME,
    "ce_source": _TEXT,
    "ce_specversion": {"const": "1.0"},
    "ce_expectedversion": _NUMBER,
    "ce_dataschema": _TEXT,
    "ce_correlationid": _TEXT,
    "ce_causationid": _TEXT,
    "traceparent": _TEXT,
    "ce_actor": _TEXT,
    "ce_tenant": _TEXT,
    "ce_signature": _TEXT,
    "reply-to": _NUMBER,
    "content-type": {"type": "string", "default": "application/json"},
}
_EVENT_HEADERS: Mapping[str, Document] = {
    "ce_id": _TEXT,
    "ce_subject": _TEXT,
    "ce_source": _TEXT,
    "ce_time": _TIME,
    "ce_specversion": {"const": "1.0"},
    "ce_position": _NUMBER,
    "ce_streamversion": _NUMBER,
    "ce_recordedtime": _TIME,
    "ce_epoch": _TEXT,
    "ce_actor": _TEXT,
    "ce_correlationid": _TEXT,
    "ce_causationid": _TEXT,
    "traceparent": _TEXT,
    "ce_dataschema": _TEXT,
}
_OUTCOME_HEADERS: Mapping[str, Document] = {
    "ce_id": _TEXT,
    "ce_subject": _TEXT,
    "ce_source": _TEXT,
    "ce_specversion": {"const": "1.0"},
    "ce_causationid": _TEXT,
}
_DEAD_HEADERS: Mapping[str, Document] = {
    "dead-reason": _TEXT,
    "dead-error": _TEXT,
    "dead-topic": _TEXT,
    "dead-partition": _NUMBER,
    "dead-offset": _NUMBER,
    "dead-time": _TIME,
}


def asyncapi(
    registry: Registry, *, namespace: str, title: str, version: str, description: str = ""
) -> Document:
    """Return the document: what the service receives and what it sends, topic by topic."""
    topics = Topics(namespace)
    messages: dict[str, Document] = {}
    schemas: dict[str, Document] = {}
    for each in registry.commands.values():
        messages[each.name] = _message(
            each.name, _COMMAND_HEADERS, "the stream, or the command's id"
        )
        schemas |= _schemas(each.name, each.schema())
    for each in registry.events.values():
        messages[each.name] = _message(each.name, _EVENT_HEADERS, "the stream")
        schemas |= _schemas(each.name, each.schema())
    messages["outcome.v1"] = _message("outcome.v1", _OUTCOME_HEADERS, "the command's id")
    schemas |= _schemas("outcome.v1", msgspec.json.schema(Outcome))
    messages["dead"] = {
        "name": "dead",
        "title": "A record as it came, and why it could not become a command",
        "headers": _headers(_DEAD_HEADERS, required=sorted(_DEAD_HEADERS)),
        "payload": {},
    }
    channels = {
        "commands": _channel(topics.commands, registry.commands),
        "outcomes": _channel(topics.outcomes, ["outcome.v1"]),
        "dead": _channel(topics.dead, ["dead"]),
    }
    for kind in registry.deciders:
        names = [name for name in registry.events if name.startswith(f"{kind}.")]
        channels[f"events.{kind}"] = _channel(topics.events(kind), names)
    info = {"title": title, "version": version}
    return {
        "asyncapi": "3.0.0",
        "info": info | ({"description": description} if description else {}),
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": _operations(channels),
        "components": {"messages": messages, "schemas": schemas},
    }


def _operations(channels: Iterable[str]) -> Document:
    operations: Document = {
        "receiveCommand": {
            "action": "receive",
            "channel": {"$ref": "#/channels/commands"},
            "reply": {"channel": {"$ref": "#/channels/outcomes"}},
        }
    }
    for name in channels:
        if name != "commands":
            word = "".join(part.capitalize() for part in name.replace("-", ".").split("."))
            operations[f"send{word}"] = {
                "action": "send",
                "channel": {"$ref": f"#/channels/{name}"},
            }
    return operations


def _channel(address: str, names: Iterable[str]) -> Document:
    messages = {name: {"$ref": f"#/components/messages/{name}"} for name in names}
    return {
        "address": address,
        "messages": messages,
        "bindings": {"kafka": {"topic": address, "bindingVersion": "0.5.0"}},
    }


def _message(name: str, headers: Mapping[str, Document], key: str) -> Document:
    return {
        "name": name,
        "contentType": "application/json",
        "headers": _headers({"ce_type": {"const": name}, **headers}, required=["ce_type"]),
        "payload": {"$ref": f"#/components/schemas/{name}"},
        "bindings": {
            "kafka": {"key": {"type": "string", "description": key}, "bindingVersion": "0.5.0"}
        },
    }


def _headers(properties: Mapping[str, Document], *, required: list[str]) -> Document:
    return {"type": "object", "properties": dict(properties), "required": required}


def _schemas(name: str, schema: Document) -> dict[str, Document]:
    """Return *schema* and what it refers to as components, referring to each other there."""
    schema = {**schema}
    parts: Document = schema.pop("$defs", {})
    places = {f"#/$defs/{part}": f"{name}.{part}" for part in parts}
    if schema.keys() == {"$ref"}:
        places[schema["$ref"]] = name
    else:
        parts["#"] = schema
        places["#/$defs/#"] = name
    return {places[f"#/$defs/{part}"]: _referring(each, places) for part, each in parts.items()}


def _referring(node: Any, places: Mapping[str, str]) -> Any:
    if isinstance(node, list | tuple):
        return [_referring(each, places) for each in cast("Sequence[Any]", node)]
    if not isinstance(node, dict):
        return node
    found = {key: _referring(each, places) for key, each in cast("Document", node).items()}
    if found.get("$ref") in places:
        found["$ref"] = f"#/components/schemas/{places[found['$ref']]}"
    return found
