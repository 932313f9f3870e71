"""Which pages of other sites may ask: those that settings name, and none unless they do."""

import re
from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response

from treering.errors import SettingsError

type Header = tuple[bytes, bytes]

ANY = "*"
_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?")
_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
_SAID = (
    "Accept", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "Last-Event-ID",
    "Prefer", "Traceparent", "Treering-Position", "X-Request-ID",
)  # fmt: skip
"""Headers that a page may send, beside the one with the key."""
_SHOWN = (
    b"Content-Disposition, Deprecation, ETag, Link, Location, Preference-Applied, Retry-After, "
    b"Sunset, Treering-Position, Treering-Read-Model, WWW-Authenticate, X-Request-ID"
)
"""Headers that a page may see."""
_KEPT_SECONDS = b"600"
_VARIES: Header = (b"vary", b"Origin")


class Origins:
    """The pages that may ask, by their *allowed* origins; `*` is all of them.

    Then all may read, and write only while *closed* says that nobody writes without a key: a page
    cannot have a key that it was not given.
    """

    def __init__(self, allowed: str | None = None, *, key: str, closed: Callable[[], bool]) -> None:
        said = [each.strip().lower().rstrip("/") for each in (allowed or "").split(",")]
        named = frozenset(each for each in said if each)
        if wrong := sorted(each for each in named if each != ANY and not _ORIGIN.fullmatch(each)):
            raise SettingsError(
                f"TREERING_CORS_ORIGINS: {wrong[0]!r} is no origin, such as https://app.example."
            )
        self._is_any = ANY in named
        self._named = named - {ANY}
        self._closed = closed
        self._taken = ", ".join((*_SAID, key)).encode()

    def lets_write(self, origin: str) -> bool:
        """Say whether a page of *origin*, which is another site's, may write."""
        return origin.lower() in self._named or (self._is_any and self._closed())

    def preflight(self, request: Request) -> Response | None:
        """Return the answer to a browser that asks whether a page may ask; None: it does not."""
        if request.method != "OPTIONS":
            return None
        origin = request.headers.get("origin")
        asks = "access-control-request-method" in request.headers
        if origin is None or not asks or not self._knows(origin):
            return None
        response = Response(status_code=204)
        response.raw_headers += [
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", self._taken),
            (b"access-control-max-age", _KEPT_SECONDS),
        ]
        return response

    def headers(self, request: Request) -> Sequence[Header]:
        """Return what an answer says of who may see it."""
        if not (self._is_any or self._named):
            return ()
        origin = request.headers.get("origin")
        if origin is None or not self._knows(origin):
            return (_VARIES,)
        return (
            _VARIES,
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", _SHOWN),
        )

    def _knows(self, origin: str) -> bool:
        return self._is_any or origin.lower() in self._named
