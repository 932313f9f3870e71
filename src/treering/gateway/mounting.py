"""What stands beside the API: applications and folders, behind the same doors as all else."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from traceback import format_exception

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from treering.errors import DeclarationError, NotFound, Refusal
from treering.gateway.http.problem import Internal, MethodNotAllowed, answer
from treering.gateway.http.routes import Endpoint, Routes
from treering.mount import Mount

_log = structlog.get_logger("treering.gateway")


class Mounts:
    """All of them; one that stands within another comes first."""

    def __init__(self, mounts: Sequence[Mount] = (), *, root: Path | None = None) -> None:
        inner_first = sorted(mounts, key=lambda each: -each.path.count("/"))
        self._mounted = [(each.path, _application(each, root)) for each in inner_first]

    def require_room(self, routes: Routes) -> None:
        """Raise DeclarationError if one stands where something else is already."""
        paths = [path for path, _ in self._mounted]
        for path in paths:
            taken = [each.path for each in routes.all() if _is_within(each.path, path)]
            if taken or paths.count(path) > 1:
                raise DeclarationError(
                    f"Mount {path!r}: {taken[0] if taken else 'another'} stands there; take "
                    "another path."
                )

    def find(self, path: str) -> Endpoint | None:
        """Return what answers at *path*."""
        for at, app in self._mounted:
            if _is_within(path, at):
                return _endpoint(at, app)
        return None


def _endpoint(path: str, app: ASGIApp) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return _Beside(path, app, request)

    return endpoint


class _Beside(Response):
    """The answer of a mounted application: what it says, and the headers that all answers have."""

    def __init__(self, path: str, app: ASGIApp, request: Request) -> None:
        self._path = path
        self._app = app
        self._request = request
        self.status_code = 500
        self.background = None
        self.raw_headers: list[tuple[bytes, bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have it answer; a fault of its own before that is a problem, later it ends the answer."""
        inner: Scope = {**scope, "root_path": scope.get("root_path", "") + self._path}
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun, self.status_code = True, message["status"]
                message = {**message, "headers": self._with_ours(message.get("headers", ()))}
            await send(message)

        try:
            await self._app(inner, receive, sending)
        except ClientDisconnect:
            return
        except Exception as error:
            _log.error(
                "a mounted application failed",
                path=scope["path"],
                request=scope["request_id"],
                exception="".join(format_exception(error)),
            )
            if begun:
                raise
            said = f"Something went wrong here; the log says what, under {scope['request_id']}."
            await _problem(Internal(said), scope)(inner, receive, sending)

    def _with_ours(self, said: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Return the headers that it says, and ours that it does not."""
        own = [(name.lower(), value) for name, value in said]
        names = {name for name, _ in own}
        return [*own, *(each for each in self.raw_headers if each[0] not in names)]


def _problem(refusal: Refusal, scope: Scope) -> Response:
    return answer(refusal.problem(), scope["path"])


class _Files:
    """The files of a folder, and its page wherever there is none."""

    def __init__(self, folder: Path) -> None:
        self._files = StaticFiles(directory=folder, html=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a file, or with the page."""
        try:
            response = await self._found(scope)
        except HTTPException as error:
            response = _problem(_refusal(error, scope), scope)
        await response(scope, receive, send)

    async def _found(self, scope: Scope) -> Response:
        path = self._files.get_path(scope)
        if any(part.startswith(".") and part != "." for part in path.split("/")):
            raise HTTPException(404)
        try:
            return await self._files.get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or "." in path.rpartition("/")[2]:
                raise
            return await self._files.get_response("index.html", scope)


def _refusal(error: HTTPException, scope: Scope) -> Refusal:
    if error.status_code == 405:
        said = f"{scope['path'][:200]} does not take {scope['method']}."
        return MethodNotAllowed(said, allowed=["GET", "HEAD"])
    return NotFound(f"There is nothing at {scope['path'][:200]}.")


def _application(mount: Mount, root: Path | None) -> ASGIApp:
    if mount.app is not None:
        return mount.app
    folder = Path(root or "", str(mount.folder))
    if not (folder / "index.html").is_file():
        raise DeclarationError(f"Mount {mount.path!r}: there is no index.html in {mount.folder}.")
    return _Files(folder)


def _is_within(path: str, at: str) -> bool:
    return path == at or path.startswith(f"{at}/")
