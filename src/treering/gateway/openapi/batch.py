"""How a batch is described."""

from treering.gateway.openapi.operations import Described, content, operation, parameter

_ITEM: Described = {
    "type": "object",
    "required": ["method", "path"],
    "properties": {
        "method": {"enum": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]},
        "path": {"type": "string", "pattern": "^/api/v1/"},
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
        "body": {},
    },
    "additionalProperties": False,
}
_TOLD: Described = {
    "type": "object",
    "required": ["status", "headers", "body"],
    "properties": {
        "status": {"type": "integer"},
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
        "body": {},
    },
}
_KEY = parameter("Idempotency-Key", {"type": "string"}, "Of all that is in it.", where="header")


def batch() -> Described:
    """Describe `$batch`."""
    asked = [{"method": "GET", "path": "/api/v1/info"}]
    told = [{"status": 200, "headers": {}, "body": {"id": "garden"}}]
    return {
        "post": operation(
            "batch",
            "Ask several requests in order",
            "service",
            parameters=[_KEY],
            body=content({"type": "array", "items": _ITEM, "maxItems": 1000}, sample=asked),
            answers={
                200: ("What came of each.", content({"type": "array", "items": _TOLD}, sample=told))
            },
            problems=(400, 413, 415, 422),
        )
    }
