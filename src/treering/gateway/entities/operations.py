"""Operations: further commands of an entity, each under an address of its own."""

from starlette.requests import Request
from starlette.responses import Response

from treering.entity.operation import Operation, address
from treering.gateway.asking import Asked, Asking, Shown, expected_by
from treering.gateway.collection import Collection
from treering.gateway.entities.answers import created, entity
from treering.gateway.http.body import json_object_or_none
from treering.gateway.http.routes import Endpoint, Routes


class Operations:
    """POST of `/{id}/$op`, and of `/$op` where it makes a new entity.

    What the body must be the command says, and whoever decides it: here it is only passed on.
    """

    def __init__(self, collection: Collection, asking: Asking) -> None:
        self._collection = collection
        self._asking = asking

    def add_to(self, routes: Routes) -> None:
        """Add the addresses."""
        for each in self._collection.entity.declaration.operations:
            routes.add("POST", address(self._collection.path, each), self._endpoint(each))

    def _endpoint(self, operation: Operation) -> Endpoint:
        collection = self._collection

        async def endpoint(request: Request) -> Response:
            subject, shown = None, self._shown(request, operation)
            if not operation.creates:
                subject = f"{collection.kind}/{collection.id_in_path(request.path_params['id'])}"
            asked = Asked(
                type=operation.name,
                body=await json_object_or_none(request),
                subject=subject,
                expected=expected_by(request),
            )
            return await self._asking.answer(request, asked, shown)

        return endpoint

    def _shown(self, request: Request, operation: Operation) -> Shown:
        return created(request, self._collection) if operation.creates else entity
