"""`/api/v1/audit`: who did what, when, and what it changed; for those who may administer."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from treering.entity.validation import stamp
from treering.errors import NotFound
from treering.gateway.collection import ID
from treering.gateway.http.guard import require
from treering.gateway.http.query import Parser, parsed, whole
from treering.gateway.http.routes import Routes
from treering.gateway.service.trail import Trail, Wanted
from treering.message import Stored
from treering.query import KINDS
from treering.registry import Registry
from treering.store import Reader

AUDIT = "/api/v1/audit"
_LONGEST = 300
_encode = msgspec.json.Encoder().encode


class Audit:
    """All changes of all entities, the newest first, or those of one."""

    def __init__(self, reader: Reader, registry: Registry) -> None:
        self._trail = Trail(reader, registry)

    def add_to(self, routes: Routes) -> None:
        """Add its addresses."""
        routes.add("GET", AUDIT, self.list)
        routes.add("GET", f"{AUDIT}/{{kind}}/{{id}}", self.one)

    async def list(self, request: Request) -> Response:
        """Answer with changes; `next` is what to say as `before` for those that were earlier."""
        require(request.scope, "admin")
        return await self._answer(Wanted(**parsed(request.scope["query_string"], _ALL)))

    async def one(self, request: Request) -> Response:
        """Answer with the changes of one entity."""
        require(request.scope, "admin")
        said = parsed(request.scope["query_string"], _ONE)
        kind, named = request.path_params["kind"], request.path_params["id"]
        if not ID.fullmatch(kind) or not ID.fullmatch(named):
            raise NotFound(f"{kind[:_LONGEST]}/{named[:_LONGEST]} does not exist.")
        return await self._answer(Wanted(entity=f"{kind}/{named}", **said))

    async def _answer(self, wanted: Wanted) -> Response:
        events, following = await self._trail.find(wanted)
        changes = await self._trail.changes(events)
        body = {
            "items": [_item(each, changes.get(each.position)) for each in events],
            "size": wanted.size,
            "next": following,
        }
        headers = {"Cache-Control": "no-store"}
        return Response(_encode(body), headers=headers, media_type="application/json")


def _item(event: Stored, told: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return a change as it is shown; without what it changed where that cannot be told."""
    return {
        "position": event.position,
        "recorded_at": stamp(event.recorded_at),
        "actor": event.actor,
        "type": event.type,
        "entity": event.stream,
        "version": event.version,
        "command": event.causation,
        "request": event.correlation,
        **({"changes": None} if told is None else {}),
        **{name: told[name] for name in ("changes", "is_erased") if told and name in told},
    }


def _text(said: str) -> str:
    """Read a text that can be in the database, and be that of something."""
    if not said or len(said) > _LONGEST or not said.isprintable():
        raise ValueError(f"Is 1 to {_LONGEST} printable characters")
    return said


def _moment(said: str) -> Any:
    try:
        return KINDS["moment"].spelled(said)
    except ValueError:
        raise ValueError(f"Is {KINDS['moment'].noun}") from None


_ONE: Mapping[str, Parser] = {
    "actor": _text,
    "type": _text,
    "request": _text,
    "since": _moment,
    "until": _moment,
    "before": whole(1, 9_999_999_999),
    "size": whole(1, 100),
}
_ALL: Mapping[str, Parser] = {**_ONE, "entity": _text, "kind": _text}
