"""What runs here: the service's own words, its addresses, its figures."""

import asyncio
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response

from treering import metrics
from treering.errors import StoreError
from treering.gateway.collection import Collection, Table
from treering.gateway.http.routes import Routes
from treering.gateway.positions import Epoch
from treering.reading import ReadModels
from treering.service import Service
from treering.store import Reader

_PATIENCE = 2.0
_encode = msgspec.json.Encoder().encode
_log = structlog.get_logger("treering.gateway")


class About:
    """`/api/v1/info` and `/metrics`, and what programs are told at `/`."""

    def __init__(
        self,
        service: Service,
        collections: Sequence[Table],
        reader: Reader,
        epoch: Epoch,
        read_models: ReadModels,
    ) -> None:
        self._service = service
        self._collections = collections
        self._reader = reader
        self._epoch = epoch
        self._read_models = read_models
        self._started_at = datetime.now(UTC)

    def add_to(self, routes: Routes) -> None:
        """Add its addresses."""
        routes.add("GET", "/api/v1/info", self.info)
        routes.add("GET", "/api/v1/info/$details", self.details)
        routes.add("GET", "/metrics", self.metrics)

    async def root(self, _request: Request) -> Response:
        """Answer with what runs and where to go from here."""
        return Response(_encode(self.told()), media_type="application/json")

    def told(self) -> Mapping[str, Any]:
        """Return what runs, and the addresses of the rest."""
        service = self._service
        return {
            "service": service.display_name,
            "version": service.version,
            "description": service.description,
            "collections": {each.plural: each.path for each in self._collections},
            "commands": "/api/v1/commands",
            "events": "/api/v1/events",
            "live": "/api/v1/live",
            "audit": "/api/v1/audit",
            "keys": "/api/v1/api-keys",
            "schemas": "/api/v1/schemas",
            "docs": "/docs",
            "openapi": "/openapi.json",
            "info": "/api/v1/info",
            "health": "/health",
            "metrics": "/metrics",
        }

    async def info(self, _request: Request) -> Response:
        """Answer with what the service says of itself."""
        return Response(_encode(self._words()), media_type="application/json")

    async def details(self, _request: Request) -> Response:
        """Answer with that, with what it runs on, and with what it serves and how that is asked."""
        models = self._read_models
        found = {
            **self._words(),
            "namespace": self._reader.namespace,
            "treering": version("treering"),
            "python": platform.python_version(),
            "platform": platform.platform(terse=True),
            "started_at": self._started_at,
            "collections": [_collection(each, models) for each in self._collections],
            "links": self.told(),
        }
        return Response(_encode(found), media_type="application/json")

    def _words(self) -> Mapping[str, str]:
        service = self._service
        return {
            "id": service.id,
            "display_name": service.display_name,
            "version": service.version,
            "description": service.description,
        }

    async def metrics(self, request: Request) -> Response:
        """Answer with all figures; positions are looked up, so that they hold whatever runs."""
        metrics.take_pool("gateway", self._reader.pool)
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._look()
        except (StoreError, TimeoutError) as error:
            _log.warning("positions are not in the metrics", error=repr(error))
        return await exposed(request)

    async def _look(self) -> None:
        metrics.store_position.set((await self._epoch.head()).position)
        for each in await self._read_models.status():
            metrics.projection_position.labels(each.name).set(each.position)
            metrics.projection_lag.labels(each.name).set(each.lag)
            metrics.projection_stopped.labels(each.name).set(each.state in {"stopped", "held"})


def _collection(collection: Table, read_models: ReadModels) -> Mapping[str, Any]:
    shape = read_models.shape(collection.read_model)
    found: dict[str, Any] = {
        "read_model": collection.read_model,
        "path": collection.path,
        "schema": f"{collection.path}/$schema",
        "fields": sorted(map(str, shape.words)),
        "searchable": sorted(map(str, shape.searchable)),
    }
    if isinstance(collection, Collection):
        said = collection.entity.declaration
        found |= {"kind": said.kind, "operations": [each.word for each in said.operations]}
    return found


async def exposed(_request: Request) -> Response:
    """Answer with the figures of this process and of those that share with it."""
    return Response(metrics.exposition(), headers={"Content-Type": metrics.CONTENT_TYPE})
