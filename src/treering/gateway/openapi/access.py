"""How the addresses are described of those who say who may ask."""

from treering.gateway.openapi.operations import (
    WRITTEN,
    Described,
    content,
    listed,
    operation,
    parameter,
    ref,
)  # fmt: skip

_TAG = "access"
_MOMENT: Described = {"type": ["string", "null"], "format": "date-time"}
_END: Described = {"type": "string", "format": "date-time"}
_ACCESS: Described = {"type": "string", "enum": ["read", "write", "admin"]}
_SEEN: dict[str, Described] = {
    "id": {"type": "string", "description": "Its name."},
    "prefix": {"type": "string", "description": "What it begins with, after `trk_`."},
    "access": _ACCESS,
    "note": {"type": "string"},
    "is_revoked": {"type": "boolean"},
    "expires_at": _MOMENT,
    "created_at": {"type": "string", "format": "date-time"},
    "created_by": {"type": "string"},
    "updated_at": {"type": "string", "format": "date-time"},
}
SHAPES: dict[str, Described] = {
    "ApiKey": {
        "type": "object",
        "properties": {**_SEEN, "lets_in": {"type": "boolean"}},
        "required": [*_SEEN, "lets_in"],
    },
    "NewApiKey": {
        "type": "object",
        "description": "The only answer that has the key.",
        "properties": {**_SEEN, "key": {"type": "string"}},
        "required": [*_SEEN, "key"],
    },
}
_CHANGE: dict[str, Described] = {
    "position": {"type": "integer"},
    "recorded_at": {"type": "string", "format": "date-time"},
    "actor": {"type": "string", "description": "Who: `api-key/ci`, `http`, `cli`, `kafka`."},
    "type": {"type": "string", "description": "What, such as `dataset.updated.v1`."},
    "entity": {"type": "string"},
    "version": {"type": "integer"},
    "command": {"type": "string"},
    "request": {"type": "string", "description": "The `X-Request-ID` that it came with."},
}
SHAPES["Trail"] = {
    "type": "object",
    "required": ["items", "size", "next"],
    "properties": {
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": [*_CHANGE],
                "properties": {
                    **_CHANGE,
                    "changes": {
                        "type": ["object", "null"],
                        "description": "Each field that changed, `before` and `after`.",
                    },
                    "is_erased": {"type": "boolean"},
                },
            },
        },
        "size": {"type": "integer"},
        "next": {"type": ["integer", "null"], "description": "The `before` of what was earlier."},
    },
}
_TEXT: Described = {"type": "string", "minLength": 1, "maxLength": 300}
_WHICH = [
    parameter("actor", _TEXT, "Who did it."),
    parameter("type", _TEXT, "The type of the event."),
    parameter("request", _TEXT, "The `X-Request-ID` that it came with."),
    parameter("since", {"type": "string", "format": "date-time"}, "Not earlier."),
    parameter("until", {"type": "string", "format": "date-time"}, "Not later."),
    parameter("before", {"type": "integer", "minimum": 1}, "Before this position."),
    parameter("size", {"type": "integer", "minimum": 1, "maximum": 100}, "At most so many."),
]
_ABOUT = [
    parameter("entity", _TEXT, "What it was done to, `<kind>/<id>`."),
    parameter("kind", _TEXT, "The kind of what it was done to."),
]
SCHEMES: Described = {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}}
_ISSUED: Described = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"},
        "access": {**_ACCESS, "default": "write"},
        "expires_at": _END,
        "note": {"type": "string", "maxLength": 200},
    },
    "additionalProperties": False,
}
_ROTATED: Described = {
    "type": "object",
    "properties": {"expires_at": _END},
    "additionalProperties": False,
}
_ID = parameter("id", {"type": "string"}, "The key's name.", where="path", required=True)
_READ = (404, 422, 503)
PATHS: dict[str, Described] = {
    "/api/v1/api-keys": {
        "get": operation(
            "listApiKeys",
            "All keys there ever were, by name",
            _TAG,
            answers={200: ("The keys.", content(listed(ref("ApiKey"))))},
            problems=(422, 503),
        ),
        "post": operation(
            "issueApiKey",
            "Make a key; it is shown this once",
            _TAG,
            body=content(_ISSUED, sample={"name": "ci", "access": "write"}),
            answers={201: ("The key.", content(ref("NewApiKey")))},
            problems=WRITTEN,
        ),
    },
    "/api/v1/api-keys/{id}": {
        "get": operation(
            "getApiKey",
            "One key",
            _TAG,
            answers={200: ("The key, without what lets in.", content(ref("ApiKey")))},
            problems=_READ,
        ),
        "delete": operation(
            "revokeApiKey",
            "Refuse a key from now on, for good",
            _TAG,
            answers={204: ("It is revoked.", None)},
            problems=WRITTEN,
        ),
        "parameters": [_ID],
    },
    "/api/v1/api-keys/{id}/$rotate": {
        "post": operation(
            "rotateApiKey",
            "Make another key under the same name; the one before is void",
            _TAG,
            body=content(_ROTATED, sample={}),
            answers={200: ("The key.", content(ref("NewApiKey")))},
            problems=WRITTEN,
        ),
        "parameters": [_ID],
    },
    "/api/v1/audit": {
        "get": operation(
            "audit",
            "Who did what, the newest first",
            _TAG,
            answers={200: ("Changes.", content(ref("Trail")))},
            problems=(422, 503),
            parameters=[*_WHICH, *_ABOUT],
        )
    },
    "/api/v1/audit/{kind}/{id}": {
        "get": operation(
            "auditOfOne",
            "Who did what to one entity, the newest first",
            _TAG,
            answers={200: ("Changes.", content(ref("Trail")))},
            problems=_READ,
            parameters=_WHICH,
        ),
        "parameters": [
            parameter("kind", {"type": "string"}, "Its kind.", where="path", required=True),
            parameter("id", {"type": "string"}, "Its id.", where="path", required=True),
        ],
    },
}
