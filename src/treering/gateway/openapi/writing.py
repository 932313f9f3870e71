"""The operations that write."""

from treering.gateway.openapi.operations import WRITTEN, Described, content, listed
from treering.gateway.openapi.subject import Subject


def create(of: Subject) -> Described:
    """Describe `POST`."""
    return of.operation(
        "create",
        f"Create {of.one}",
        body=of.body("New"),
        answers={201: ("It is there.", of.body())},
        problems=WRITTEN,
    )


def change(of: Subject, word: str, said: str) -> Described:
    """Describe `PUT` or `PATCH`."""
    return of.operation(
        word,
        f"{said} of {of.one}",
        body=of.body("Change"),
        answers={200: ("It, as it is now.", of.body())},
        problems=WRITTEN,
    )


def plain(of: Subject, word: str, *, shows: bool = False) -> Described:
    """Describe an operation without a body."""
    shown = (200, of.body()) if shows else (204, None)
    return of.operation(
        word,
        f"{word.capitalize()} {of.one}",
        answers={shown[0]: ("It is done.", shown[1])},
        problems=WRITTEN,
    )


def bulk(of: Subject) -> Described:
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
        answers={
            200: ("What came of each.", told),
            201: ("The same, and some were created.", told),
        },
        problems=WRITTEN,
    )
