"""Writing an entity: each address is a command, each outcome an answer."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from treering.gateway.asking import Asking, Shown, expected_by
from treering.gateway.collection import Collection
from treering.gateway.entities.saying import Saying
from treering.gateway.http.body import json_object
from treering.gateway.http.preferences import preferences
from treering.gateway.http.routes import Routes
from treering.message import Outcome, id_of

_encode = msgspec.json.Encoder().encode


class Writes:
    """POST, PUT, PATCH and DELETE of one collection."""

    def __init__(self, collection: Collection, asking: Asking) -> None:
        self._collection = collection
        self._saying = Saying(collection)
        self._asking = asking

    def add_to(self, routes: Routes) -> None:
        """Add the addresses that are written to."""
        path = self._collection.path
        routes.add("POST", path, self.create)
        routes.add("PUT", f"{path}/{{id}}", self.put)
        routes.add("PATCH", f"{path}/{{id}}", self.patch)
        routes.add("DELETE", f"{path}/{{id}}", self.delete)
        routes.add("POST", f"{path}/{{id}}/$restore", self.restore)
        routes.add("POST", f"{path}/{{id}}/$purge", self.purge)

    async def create(self, request: Request) -> Response:
        """Create an entity, under the id that the body names or a new one."""
        raw, fields = await json_object(request)
        asked = self._saying.create(fields, raw, expected=expected_by(request))
        return await self._asking.answer(request, asked, self._created(request))

    async def put(self, request: Request) -> Response:
        """Set the fields that the body names; all of them with `Prefer: handling=replace`."""
        replaces = preferences(request).replaces
        return await self._change(request, "replace" if replaces else "update")

    async def patch(self, request: Request) -> Response:
        """Apply a merge patch (RFC 7396)."""
        return await self._change(request, "patch")

    async def _change(self, request: Request, word: str) -> Response:
        named = self._collection.id_in_path(request.path_params["id"])
        raw, fields = await json_object(request)
        asked = self._saying.change(word, named, fields, raw, expected=expected_by(request))
        return await self._asking.answer(request, asked, _entity)

    async def delete(self, request: Request) -> Response:
        """Delete it; `Prefer: return=representation` shows what was deleted."""
        shows = preferences(request).returns == "representation"
        return await self._plain(request, "delete", _entity if shows else _nothing)

    async def restore(self, request: Request) -> Response:
        """Bring it back."""
        return await self._plain(request, "restore", _entity)

    async def purge(self, request: Request) -> Response:
        """Remove it for ever."""
        return await self._plain(request, "purge", _nothing)

    async def _plain(self, request: Request, word: str, shown: Shown) -> Response:
        named = self._collection.id_in_path(request.path_params["id"])
        asked = self._saying.plain(
            word, named, expected=expected_by(request), shows_entity=shown is _entity
        )
        return await self._asking.answer(request, asked, shown)

    def _created(self, request: Request) -> Shown:
        def shown(outcome: Outcome) -> Response:
            named = id_of(outcome.stream or "")
            response = _entity(outcome)
            response.status_code = 201
            response.headers["Location"] = f"{_origin(request)}{self._collection.path}/{named}"
            return response

        return shown


def _entity(outcome: Outcome) -> Response:
    entity = outcome.entity or {"id": id_of(outcome.stream or "")}
    return Response(_encode(entity), media_type="application/json")


def _nothing(_outcome: Outcome) -> Response:
    return Response(status_code=204)


def _origin(request: Request) -> str:
    """Return the scheme and host under which the client reached us."""
    return f"{request.scope['scheme']}://{request.headers.get('host', 'localhost')}"
