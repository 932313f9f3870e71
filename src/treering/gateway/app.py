"""The gateway as one ASGI application: an id a request, one look-up, every wrong a problem."""

import time
from collections.abc import Callable
from traceback import format_exception

import structlog
from prometheus_client import Histogram
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from treering import errors, metrics, ulid
from treering.errors import NotFound, Refusal, StoreNotReady, StoreUnavailable
from treering.gateway.forms import VARY, looks_of
from treering.gateway.forms.accepting import versioned
from treering.gateway.forms.looks import Looks
from treering.gateway.http.cors import Origins
from treering.gateway.http.guard import Guard
from treering.gateway.http.origin import check
from treering.gateway.http.patience import Patience
from treering.gateway.http.problem import (
    DatabaseAway,
    Draining,
    Internal,
    MethodNotAllowed,
    ReadModelAway,
    Unanswerable,
    answer,
)  # fmt: skip
from treering.gateway.http.routes import Endpoint, Route, Routes
from treering.gateway.http.shielding import Shield
from treering.gateway.live import EVENT_STREAM, Live
from treering.gateway.mounting import Mounts

_LONGEST_ID = 128
_PATIENCE = Patience()
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OPEN = Guard()
SHIELD = Shield()
_log = structlog.get_logger("treering.gateway")


class Gateway:
    """The ASGI application; it answers to *names*, to any without.

    What is at *tables* can be had as such; from *compress_from* bytes on answers are packed.
    What happens is told by *telling*, until it is drained.
    """

    def __init__(  # noqa: PLR0913 - what surrounds all answers, put together once
        self,
        routes: Routes,
        names: frozenset[str] | None = None,
        *,
        guard: Guard = OPEN,
        origins: str | None = None,
        shield: Shield = SHIELD,
        tables: frozenset[str] = frozenset(),
        compress_from: int = 1024,
        patience: Patience = _PATIENCE,
        telling: Live | None = None,
        mounts: Mounts | None = None,
    ) -> None:
        self.routes = routes
        self._names = names
        self._guard = guard
        ring = guard.ring
        self._origins = Origins(origins, key=guard.header, closed=lambda: not ring.is_open)
        self._shield = shield
        self._tables = tables
        self._compress_from = compress_from
        self._patience = patience
        self._telling = telling
        self._mounts = mounts or Mounts()
        self._timers: dict[tuple[str, str, int], Histogram] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket" and self._telling is not None:
            await self._telling.answer(scope, receive, send, self._enter)
            return
        if scope["type"] != "http":
            raise RuntimeError("The gateway speaks HTTP and WebSockets; serve it without lifespan.")
        began = time.perf_counter()
        route = self._find(scope)
        looks = looks_of(scope, route.path if route else "", self._tables)
        request = Request(scope, receive)
        named = scope["request_id"] = _request_id(request.headers.get("x-request-id"))
        try:
            response = self._origins.preflight(request)
            if response is None:
                answering = _respond(request, route, self._enter, looks)
                response = await self._patience.bounded(request, answering)
        except ClientDisconnect:
            return
        if looks is not None:
            response = await looks.dressed(response, self._compress_from)
        response.raw_headers += (VARY, (b"x-request-id", named.encode()))
        response.raw_headers += self._shield.over(response)
        response.raw_headers += self._origins.headers(request)
        if is_endless := response.media_type == EVENT_STREAM:
            self._observe(scope["method"], route, response.status_code, time.perf_counter() - began)
        await response(scope, receive, send)
        if not is_endless:
            self._observe(scope["method"], route, response.status_code, time.perf_counter() - began)

    def drain(self) -> None:
        """End what would never end: those who are told what happens are told to come back."""
        if self._telling is not None:
            self._telling.end(Draining("This process ends; come back, another one goes on."))

    def _enter(self, request: HTTPConnection) -> None:
        """Let in whom this is for: nobody under a foreign name, nobody who is not known."""
        check(request, self._names, self._origins.lets_write)
        self._guard.admit(request.scope)

    def _find(self, scope: Scope) -> Route | None:
        values: list[str] = []
        route = self.routes.find(scope["path"], values)
        if route is None and (path := versioned(scope["path"])) is not None:
            values.clear()
            if (route := self.routes.find(path, values)) is not None:
                scope["path"] = path
        if route is not None:
            scope["path_params"] = dict(zip(route.names, values, strict=True))
        elif (beside := self._mounts.find(scope["path"])) is not None:
            scope["beside"] = beside
        else:
            scope["suggestion"] = self.routes.near(scope["path"])
        return route

    def _observe(self, method: str, route: Route | None, status: int, seconds: float) -> None:
        key = (method if method in _METHODS else "_OTHER", route.path if route else "", status)
        if (timer := self._timers.get(key)) is None:
            timer = self._timers[key] = metrics.http_seconds.labels(key[0], key[1], str(status))
        timer.observe(seconds)


async def _respond(
    request: Request,
    route: Route | None,
    enter: Callable[[HTTPConnection], None],
    looks: Looks | None,
) -> Response:
    """Return the endpoint's answer, or the problem that it met."""
    path: str = request.scope["path"]
    try:
        enter(request)
        if looks is not None:
            looks.check(request.method)
        return await _endpoint(request, route)(request)
    except MethodNotAllowed as refusal:
        allowed = ", ".join(refusal.members["allowed"])
        return answer(refusal.problem(), path, {"Allow": allowed})
    except Refusal as refusal:
        return answer(refusal.problem(), path)
    except ClientDisconnect:
        raise
    except errors.ReadModelAway as error:
        return answer(ReadModelAway(str(error)).problem(), path)
    except errors.BadRequest as error:
        _log.warning("PostgreSQL refused a question", path=path, error=str(error))
        said = "PostgreSQL does not take a question of this kind; ask otherwise, or for less."
        return answer(Unanswerable(said).problem(), path)
    except (StoreUnavailable, StoreNotReady) as error:
        _log.warning("the database did not answer", path=path, error=str(error))
        away = isinstance(error, StoreUnavailable)
        said = "PostgreSQL does not answer" if away else "The database is not ready"
        return answer(DatabaseAway(f"{said}; try again.").problem(), path)
    except Exception as error:  # noqa: BLE001 - a fault ends its request, not the process
        named: str = request.scope["request_id"]
        told = "".join(format_exception(error))
        _log.error("a request failed", path=path, request=named, exception=told)
        fault = Internal(f"Something went wrong here; the log says what, under {named}.")
        return answer(fault.problem(), path)


def _endpoint(request: Request, route: Route | None) -> Endpoint:
    path = request.scope["path"]
    if (beside := request.scope.get("beside")) is not None:
        return beside
    if route is None:
        if (near := request.scope["suggestion"]) is not None:
            said = f"There is nothing at {path[:200]}; did you mean {near[:200]}?"
            raise NotFound(said, suggestion=near)
        raise NotFound(f"There is nothing at {path[:200]}.")
    if (endpoint := route.endpoints.get(request.method)) is None:
        raise MethodNotAllowed(f"{path} does not take {request.method}.", allowed=route.methods)
    return endpoint


def _request_id(said: str | None) -> str:
    """Return the id that the client gave the request if it can travel, else a new one."""
    if said and len(said) <= _LONGEST_ID and said.isascii() and said.isprintable():
        return said
    return ulid.new()
