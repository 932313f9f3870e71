"""How outcomes look over HTTP: the entity, one that is new, or nothing but that it is done."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from treering.gateway.asking import Shown
from treering.gateway.collection import Collection
from treering.message import Outcome, id_of

_encode = msgspec.json.Encoder().encode


def entity(outcome: Outcome) -> Response:
    """Show the entity as it is now."""
    shown = outcome.entity or {"id": id_of(outcome.stream or "")}
    return Response(_encode(shown), media_type="application/json")


def nothing(_outcome: Outcome) -> Response:
    """Show that it is done."""
    return Response(status_code=204)


def created(request: Request, collection: Collection) -> Shown:
    """Return what shows an entity of *collection* that is new."""

    def shown(outcome: Outcome) -> Response:
        named = id_of(outcome.stream or "")
        response = entity(outcome)
        response.status_code = 201
        response.headers["Location"] = f"{_origin(request)}{collection.path}/{named}"
        return response

    return shown


def _origin(request: Request) -> str:
    """Return the scheme and host under which the client reached us."""
    return f"{request.scope['scheme']}://{request.headers.get('host', 'localhost')}"
