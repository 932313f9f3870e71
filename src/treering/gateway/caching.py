"""What lets a client keep an answer: its tag, and the word that it is still good."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response


def tagged(
    request: Request, text: str, tag: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the answer *text*; 304 without it if the client has the one with that *tag*."""
    named = f'"{tag}"'
    said = {**(headers or {}), "ETag": named, "Cache-Control": "no-cache"}
    if _has(request.headers.get("if-none-match"), named):
        return Response(status_code=304, headers=said)
    return Response(text, headers=said, media_type="application/json")


def _has(said: str | None, tag: str) -> bool:
    """Say whether *tag* is among those that `If-None-Match` lists; a weak one does as well."""
    if said is None:
        return False
    tags = [each.strip().removeprefix("W/") for each in said.split(",")]
    return tag in tags or "*" in tags
