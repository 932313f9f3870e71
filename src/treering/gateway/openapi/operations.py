"""The words in which operations are described."""

from collections.abc import Mapping, Sequence
from typing import Any

type Described = dict[str, Any]

PROBLEM: Described = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
    "additionalProperties": True,
    "examples": [
        {
            "type": "urn:treering:error:not-found",
            "title": "Not found",
            "status": 404,
            "detail": "dataset/rain does not exist.",
            "instance": "/api/v1/datasets/rain",
        }
    ],
}
_SAID = {
    400: "It cannot be read.",
    401: "There are keys, and this has none that lets in.",
    403: "Whoever asks is known, and may not do this.",
    404: "There is no such thing.",
    406: "It cannot be had in that form.",
    409: "What is there forbids it.",
    410: "It was purged.",
    412: "It does not stand at the version, or the store at the epoch, that was expected.",
    413: "It is too large, or too long.",
    415: "The body is not said to be JSON.",
    422: "Something in it does not fit; every fault is listed.",
    503: "Something that is needed does not answer; try again.",
    504: "No outcome has come yet; `status_url` will have it.",
}
READ = (404, 412, 422, 503)
WRITTEN = (400, 404, 409, 410, 412, 413, 415, 422, 503, 504)


def ref(name: str) -> Described:
    """Return the reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def listed(schema: Described) -> Described:
    """Return the schema of an array."""
    return {"type": "array", "items": schema}


def parameter(
    name: str, schema: Described, said: str, *, where: str = "query", required: bool = False
) -> Described:
    """Describe a parameter."""
    return {
        "name": name,
        "in": where,
        "description": said,
        "schema": schema,
        **({"required": True} if required else {}),
    }


def content(schema: Described, *, sample: Any = None, kind: str = "application/json") -> Described:
    """Describe a body, with an example unless it has none."""
    return {kind: {"schema": schema, **({} if sample is None else {"example": sample})}}


def operation(  # noqa: PLR0913 - the parts of an operation
    named: str,
    said: str,
    tag: str,
    *,
    answers: Mapping[int, tuple[str, Described | None]],
    problems: Sequence[int] = READ,
    parameters: Sequence[Described] = (),
    body: Described | None = None,
) -> Described:
    """Describe an operation: what it answers, and which problems it may have."""
    responses: dict[str, Described] = {
        str(status): {"description": words, **({} if shown is None else {"content": shown})}
        for status, (words, shown) in answers.items()
    }
    for status in sorted({401, 403, *problems}):
        kind = "application/problem+json"
        responses[str(status)] = {
            "description": _SAID[status],
            "content": content(ref("Problem"), kind=kind),
        }
    found: Described = {
        "operationId": named,
        "summary": said,
        "tags": [tag],
        "responses": responses,
    }
    if parameters:
        found["parameters"] = [*parameters]
    if body is not None:
        found["requestBody"] = {"required": True, "content": body}
    return found
