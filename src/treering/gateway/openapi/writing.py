"""The operations that write."""

import re

from treering.entity.operation import Operation
from treering.gateway.collection import Collection
from treering.gateway.openapi.examples import example
from treering.gateway.openapi.operations import (
    WRITTEN,
    Described,
    content,
    listed,
    parameter,
)  # fmt: skip
from treering.gateway.openapi.shapes import asked
from treering.gateway.openapi.subject import Subject

PREFER = parameter(
    "Prefer",
    {"type": "string", "examples": ["return=minimal", "respond-async, wait=5"]},
    "`return=minimal` or `return=representation`; `respond-async`; `wait=` seconds.",
    where="header",
)
KEY = parameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[!#-~]{1,255}$", "examples": ["01JD3V0M7P3M1V9B6Q2WZ1X5YK"]},
    "Chosen by the client; a request that is sent again under it happens once.",
    where="header",
)
_ATOMIC = parameter("atomic", {"type": "boolean"}, "Whether all of it is done or nothing.")
PENDING: Described = {
    "type": "object",
    "required": ["command", "outcome"],
    "properties": {"command": {"type": "string"}, "outcome": {"const": "pending"}},
}
_LATER = {202: ("It is on its way; `Location` will have its outcome.", content(PENDING))}
_SHORT = {204: ("It is done, and nothing more was wanted.", None)}


def create(of: Subject[Collection]) -> Described:
    """Describe `POST`."""
    return of.operation(
        "create",
        f"Create {of.one}",
        body=of.body("New"),
        parameters=[PREFER, KEY],
        answers={201: ("It is there.", of.body()), **_LATER},
        problems=WRITTEN,
    )


def change(of: Subject[Collection], word: str, said: str) -> Described:
    """Describe `PUT` or `PATCH`."""
    return of.operation(
        word,
        f"{said} of {of.one}",
        body=of.body("Change"),
        parameters=[PREFER, KEY],
        answers={200: ("It, as it is now.", of.body()), **_SHORT, **_LATER},
        problems=WRITTEN,
    )


def plain(of: Subject[Collection], word: str, *, shows: bool = True) -> Described:
    """Describe an operation without a body, which *shows* it if that is preferred at least."""
    shown = {200: ("It, as it is now.", of.body())} if shows else {}
    return of.operation(
        word,
        f"{word.capitalize()} {of.one}",
        parameters=[PREFER, KEY],
        answers={**shown, **_SHORT, **_LATER},
        problems=WRITTEN,
    )


def operate(of: Subject[Collection], operation: Operation) -> Described:
    """Describe an operation that the entity has of its own."""
    schema, _ = asked(of.collection.entity, operation)
    said = (operation.body.__doc__ or "").strip().partition("\n")[0].rstrip(".")
    shown = {201 if operation.creates else 200: ("It, as it is now.", of.body())}
    return of.operation(
        "".join(word.capitalize() for word in re.split(r"\W", operation.word)),
        said or f"{operation.word.capitalize()} {of.one}",
        body=content(schema, sample=example(schema, of.components)),
        parameters=[PREFER, KEY],
        answers={**shown, **({} if operation.creates else _SHORT), **_LATER},
        problems=WRITTEN,
    )


def bulk(of: Subject[Collection]) -> Described:
    """Describe `$bulk`."""
    parts = {
        "create": of.several("New"),
        "update": of.several("Change"),
        "delete": listed({"type": "string"}),
    }
    schema = {"anyOf": [of.several("New"), {"type": "object", "properties": parts}]}
    counts = {"created": 1, "updated": 0, "deleted": 0}
    sample = {"success": True, **counts, "ids": ["a"], "errors": []}
    told = content({"type": "object", "required": [*sample]}, sample=sample)
    return of.operation(
        "bulk",
        f"Create, update and delete many {of.tag}",
        body=content(schema, sample=[of.sample(f"{of.name}New")]),
        parameters=[_ATOMIC, PREFER, KEY],
        answers={
            200: ("What came of each.", told),
            201: ("The same, and some were created.", told),
            **_SHORT,
            **_LATER,
        },
        problems=WRITTEN,
    )
