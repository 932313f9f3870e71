"""`/api/v1/api-keys`: keys are made, seen, made anew and revoked; each is shown once."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from treering.domain.api_key import KIND, Key, represent
from treering.entity.validation import fault, invalid
from treering.errors import NotFound, Refusal
from treering.gateway.asking import Asked, Asking
from treering.gateway.collection import ID, ID_IN_WORDS
from treering.gateway.http.body import json_object
from treering.gateway.http.guard import Guard, require
from treering.gateway.http.problem import answer
from treering.gateway.http.query import parsed
from treering.gateway.http.routes import Routes
from treering.keys import made
from treering.message import Outcome, Stream, id_of

API_KEYS = "/api/v1/api-keys"
_OURS = ("prefix", "digest")
"""What is made here, and never taken from a request."""
_encode = msgspec.json.Encoder().encode


class ApiKeys:
    """The keys of a service, for those who may administer it.

    The key is made here and its digest sent on, so that it is in no command, event or log.
    """

    def __init__(self, asking: Asking, guard: Guard) -> None:
        self._asking = asking
        self._issued = guard.ring.issued

    def add_to(self, routes: Routes) -> None:
        """Add their addresses."""
        one = f"{API_KEYS}/{{id}}"
        routes.add("POST", API_KEYS, self.issue)
        routes.add("GET", API_KEYS, self.list)
        routes.add("GET", one, self.get)
        routes.add("DELETE", one, self.revoke)
        routes.add("POST", f"{one}/$rotate", self.rotate)

    async def issue(self, request: Request) -> Response:
        """Make a key and show it, once."""
        _, fields = await json_object(request)
        name = fields.pop("name", None)
        if not isinstance(name, str) or not ID.fullmatch(name):
            raise invalid([fault(("name",), "id_format", f"Is {ID_IN_WORDS}", name)])
        response = await self._made(request, "issue", name, fields)
        if response.status_code == 200:
            response.status_code = 201
            response.headers["Location"] = f"{API_KEYS}/{name}"
        return response

    async def rotate(self, request: Request) -> Response:
        """Make another key under the same name, and show it, once; the one before is void."""
        _, fields = await json_object(request)
        return await self._made(request, "rotate", request.path_params["id"], fields)

    async def list(self, request: Request) -> Response:
        """Answer with all keys there ever were, by name, without what lets their bearers in."""
        require(request.scope, "admin")
        parsed(request.scope["query_string"], {})
        await self._look()
        return _answer([_shown(stream, key) for stream, key in self._issued or ()])

    async def get(self, request: Request) -> Response:
        """Answer with one of them."""
        require(request.scope, "admin")
        parsed(request.scope["query_string"], {})
        await self._look()
        stream = f"{KIND}/{request.path_params['id']}"
        if self._issued is None or (key := self._issued.get(stream)) is None:
            raise NotFound(f"{stream[:200]} does not exist.")
        return _answer(_shown(stream, key))

    async def revoke(self, request: Request) -> Response:
        """Refuse a key from now on, here at once and elsewhere within a second."""
        outcome = await self._asked(request, "revoke", request.path_params["id"], {})
        if outcome.problem is not None:
            return answer(outcome.problem, request.scope["path"])
        return Response(status_code=204)

    async def _made(
        self, request: Request, word: str, name: str, fields: Mapping[str, Any]
    ) -> Response:
        if given := [each for each in _OURS if each in fields]:
            raise invalid([fault((each,), "extra_forbidden", "Is made here") for each in given])
        new = made()
        body = {**fields, "prefix": new.prefix, "digest": new.digest}
        outcome = await self._asked(request, word, name, body)
        if outcome.problem is not None:
            return answer(outcome.problem, request.scope["path"])
        return _answer({**(outcome.entity or {}), "key": new.key})

    async def _asked(
        self, request: Request, word: str, name: str, body: Mapping[str, Any]
    ) -> Outcome:
        """Return what came of a command about a key, which this gateway knows of then."""
        require(request.scope, "admin")
        if not ID.fullmatch(name):
            raise NotFound(f"{KIND}/{name[:200]} does not exist.")
        asked = Asked(type=f"{KIND}.{word}.v1", body=_encode(body), subject=f"{KIND}/{name}")
        (told,), _ = await self._asking.answers(request, [asked])
        if isinstance(told, Refusal):
            raise told
        await self._look()
        return told

    async def _look(self) -> None:
        if self._issued is not None:
            await self._issued.look()


def _shown(stream: Stream, key: Key) -> Mapping[str, Any]:
    shown = represent(stream, key) or {"id": id_of(stream)}
    return {**shown, "lets_in": key.lets_in(datetime.now(UTC))}


def _answer(body: object) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(_encode(body), headers=headers, media_type="application/json")
