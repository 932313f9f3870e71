"""The document: all collections, and what every service has."""

from collections.abc import Sequence
from copy import deepcopy

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from treering.gateway.collection import Collection, Table
from treering.gateway.forms import tables_of
from treering.gateway.http.routes import Routes
from treering.gateway.live import EVENT_STREAM
from treering.gateway.openapi.access import PATHS, SCHEMES, SHAPES
from treering.gateway.openapi.batch import batch
from treering.gateway.openapi.collection import paths_of, paths_of_table
from treering.gateway.openapi.events import EVENTS
from treering.gateway.openapi.forms import add_forms
from treering.gateway.openapi.operations import (
    PROBLEM,
    WRITTEN,
    Described,
    content,
    listed,
    operation,
    parameter,
)  # fmt: skip
from treering.gateway.openapi.shapes import row, shapes
from treering.gateway.openapi.subject import Subject
from treering.gateway.openapi.writing import KEY, PREFER
from treering.reading import ReadModels
from treering.service import Service

ADDRESS = "/openapi.json"
_OBJECT: Described = {"type": "object"}
_TEXT: Described = {"type": "string"}
_TAG = "service"


class OpenApi:
    """`/openapi.json`, made once."""

    def __init__(
        self,
        service: Service,
        collections: Sequence[Collection],
        tables: Sequence[Table],
        read_models: ReadModels,
    ) -> None:
        self._service = service
        self._collections = collections
        self._tables = tables
        self._read_models = read_models
        self._made: bytes | None = None

    def add_to(self, routes: Routes) -> None:
        """Add its address."""
        routes.add("GET", ADDRESS, self.get)

    async def get(self, _request: Request) -> Response:
        """Answer with the document."""
        if self._made is None:
            self._made = msgspec.json.encode(self.document())
        return Response(self._made, media_type="application/json")

    def document(self) -> Described:
        """Return the document."""
        components: dict[str, Described] = {"Problem": PROBLEM, **SHAPES}
        for each in self._collections:
            components |= shapes(each.entity)
        for each in self._tables:
            components |= row(each)
        paths = deepcopy({**_OURS, **PATHS})
        for each in self._collections:
            shape = self._read_models.shape(each.read_model)
            paths |= paths_of(Subject(each, shape, components))
        for each in self._tables:
            shape = self._read_models.shape(each.read_model)
            paths |= paths_of_table(Subject(each, shape, components))
        told = [*self._collections, *self._tables]
        add_forms(paths, tables_of(told))
        service = self._service
        plurals = [each.plural for each in told]
        return {
            "openapi": "3.1.0",
            "info": {
                "title": service.display_name,
                "version": service.version,
                **({"description": service.description} if service.description else {}),
            },
            "tags": [{"name": each} for each in (_TAG, "access", *plurals)],
            "paths": paths,
            "components": {"schemas": components, "securitySchemes": SCHEMES},
            "security": [{}, {"key": []}],
        }


def _told(
    named: str,
    said: str,
    *,
    kind: str = "application/json",
    schema: Described | None = None,
    problems: Sequence[int] = (),
) -> Described:
    shown: Described = schema or ({"type": "string"} if kind.startswith("text/") else _OBJECT)
    answers = {200: (said, content(shown, kind=kind))}
    return {"get": operation(named, said, _TAG, answers=answers, problems=problems)}


_ID = parameter("id", {"type": "string"}, "Its id.", where="path", required=True)
_COMMAND: Described = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"type": "string"},
        "subject": {"type": "string"},
        "id": {"type": "string"},
        "expectedversion": {"type": "integer"},
        "data": {"type": "object"},
    },
}
_SAMPLE: Described = {"type": "config.create.v1", "data": {"name": "first", "data": {}}}
_INTERVAL: Described = {
    "name": "poll_interval",
    "in": "query",
    "description": "Seconds between two looks; no less than 0.1.",
    "schema": {"type": "number", "exclusiveMinimum": 0, "maximum": 60, "default": 1},
}
_OURS: dict[str, Described] = {
    "/": _told("root", "What runs here, and where."),
    "/api/v1/info": _told("info", "What the service says of itself."),
    "/api/v1/info/$details": _told("details", "That, what it runs on, and what it serves."),
    "/health": _told("health", "Every check."),
    "/health/$stream": {
        "get": operation(
            "pulse",
            "Every check, again and again, as server-sent events",
            _TAG,
            parameters=[_INTERVAL],
            answers={200: ("One after the other.", content(_TEXT, kind=EVENT_STREAM))},
            problems=(422,),
        )
    },
    "/health/live": _told("live", "Whether the process runs."),
    "/health/ready": _told("ready", "Whether it can be asked."),
    "/metrics": _told("metrics", "Figures for Prometheus.", kind="text/plain"),
    ADDRESS: _told("openapi", "This document."),
    "/api/v1/schemas": _told(
        "schemas", "All shapes of messages and read models.", schema=listed(_OBJECT)
    ),
    "/api/v1/schemas/{id}": {
        **_told(
            "schema",
            "The JSON Schema of one revision.",
            kind="application/schema+json",
            problems=(404,),
        ),
        "parameters": [_ID],
    },
    "/api/v1/events": {
        "get": operation(
            "events",
            "What happens, as server-sent events, without end",
            _TAG,
            parameters=EVENTS,
            answers={200: ("One event after the other.", content(_TEXT, kind=EVENT_STREAM))},
            problems=(412, 422, 503),
        )
    },
    "/api/v1/$batch": batch(),
    "/api/v1/commands": {
        "post": operation(
            "command",
            "Publish any command, as a CloudEvent",
            _TAG,
            body=content(_COMMAND, sample=_SAMPLE),
            parameters=[PREFER, KEY],
            answers={
                200: ("The outcome.", content(_OBJECT)),
                202: ("It is on its way; `Location` will have its outcome.", content(_OBJECT)),
                204: ("It is done, and nothing more was wanted.", None),
            },
            problems=WRITTEN,
        )
    },
    "/api/v1/commands/{id}": {
        **_told("commandOutcome", "What became of a command.", problems=(404, 503)),
        "parameters": [_ID],
    },
}
