"""The shapes of all messages and read models, for clients in any language."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from treering.errors import NotFound
from treering.gateway.http.query import parsed
from treering.gateway.http.routes import Routes
from treering.schema import SCHEMAS, SchemaRegistry, SchemaVersion, described, split

_MEDIA_TYPE = "application/schema+json"
_encode = msgspec.json.Encoder().encode


class Schemas:
    """`/api/v1/schemas`: every revision of every shape, and which are old."""

    def __init__(self, schemas: SchemaRegistry) -> None:
        self._schemas = schemas

    def add_to(self, routes: Routes) -> None:
        """Add its addresses."""
        routes.add("GET", SCHEMAS, self.list)
        routes.add("GET", f"{SCHEMAS}/{{id}}", self.get)

    async def list(self, request: Request) -> Response:
        """Answer with all shapes, each with its revisions."""
        parsed(request.scope["query_string"], {})
        found = [self._shown(name) for name in self._schemas.names()]
        return Response(_encode(found), media_type="application/json")

    async def get(self, request: Request) -> Response:
        """Answer with the JSON Schema of a revision; of a name, with its newest."""
        parsed(request.scope["query_string"], {})
        named: str = request.path_params["id"]
        found = self._schemas.get(named) or self._revision(named)
        if found is None:
            raise NotFound(f"There is no schema {named[:200]!r}; {SCHEMAS} lists all.")
        return Response(_encode(described(found)), media_type=_MEDIA_TYPE)

    def _revision(self, named: str) -> SchemaVersion | None:
        said = split(named)
        return self._schemas.get(*said) if said else None

    def _shown(self, name: str) -> dict[str, object]:
        versions = self._schemas.versions(name)
        return {
            "name": name,
            "deprecated": versions[-1].deprecated,
            "revisions": [f"{SCHEMAS}/{each.id}" for each in versions],
        }
