"""In which forms bodies and answers can be had: what is JSON is MessagePack and CSV, too."""

from collections.abc import Collection, Mapping

from treering.gateway.forms.accepting import FORMS
from treering.gateway.openapi.operations import Described

_TEXT: Described = {"schema": {"type": "string"}}
_GET = "get"


def add_forms(paths: Mapping[str, Described], tables: Collection[str]) -> None:
    """Say of every operation among *paths* in which other forms it takes and answers."""
    for path, operations in paths.items():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            if body := operation.get("requestBody"):
                _add(body["content"])
            for status, answer in operation["responses"].items():
                _add(answer.get("content", {}))
                if method == _GET and status == "200" and path in tables:
                    answer["content"][FORMS["csv"]] = _TEXT
            if operation["responses"].keys() & {"200", "201"}:
                operation["responses"].setdefault("406", _refused())


def _add(content: Described) -> None:
    """Let what is JSON be MessagePack; the example is that of the JSON."""
    if said := content.get(FORMS["json"]):
        content[FORMS["msgpack"]] = {"schema": said["schema"]}


def _refused() -> Described:
    schema: Described = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": "It is not to be had in any form that `Accept` names.",
        "content": {"application/problem+json": {"schema": schema}},
    }
