"""Writing an entity: each address is a command, each outcome an answer."""

from starlette.requests import Request
from starlette.responses import Response

from treering.gateway.asking import Asking, Shown, expected_by
from treering.gateway.collection import Collection
from treering.gateway.entities.answers import created, entity, nothing
from treering.gateway.entities.saying import Saying
from treering.gateway.http.body import json_object
from treering.gateway.http.preferences import preferences
from treering.gateway.http.routes import Routes


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
        return await self._asking.answer(request, asked, created(request, self._collection))

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
        return await self._asking.answer(request, asked, entity)

    async def delete(self, request: Request) -> Response:
        """Delete it; `Prefer: return=representation` shows what was deleted."""
        shows = preferences(request).returns == "representation"
        return await self._plain(request, "delete", entity if shows else nothing)

    async def restore(self, request: Request) -> Response:
        """Bring it back."""
        return await self._plain(request, "restore", entity)

    async def purge(self, request: Request) -> Response:
        """Remove it for ever."""
        return await self._plain(request, "purge", nothing)

    async def _plain(self, request: Request, word: str, shown: Shown) -> Response:
        named = self._collection.id_in_path(request.path_params["id"])
        asked = self._saying.plain(
            word, named, expected=expected_by(request), shows_entity=shown is entity
        )
        return await self._asking.answer(request, asked, shown)
