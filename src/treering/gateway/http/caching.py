"""What lets a client keep an answer: its tag, and the word that it is still good."""

import hashlib
import re
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

_TAG = re.compile(r'"(\d{1,9})(?:-[0-9a-f]{8})?(?:\.[a-z]+)*"')


def tag_of(version: int, *circumstances: str) -> str:
    """Return the tag of an entity's *version* as it is shown under these *circumstances*.

    What another release, build or store shows of that version may be something else.
    """
    digest = hashlib.blake2b("\0".join(circumstances).encode(), digest_size=4).hexdigest()
    return f'"{version}-{digest}"'


def version_in(tag: str) -> int | None:
    """Return the version that a *tag* names, with its rest or without; None if there is none."""
    match = _TAG.fullmatch(tag.strip())
    return int(match[1]) if match else None


def tagged(
    request: Request, text: str, tag: str | None, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the answer *text*; 304 without it if the client has the one with that *tag*."""
    if tag is None:
        return Response(text, headers=headers, media_type="application/json")
    said = {**(headers or {}), "ETag": tag, "Cache-Control": "no-cache"}
    if is_known(request, tag):
        return Response(status_code=304, headers=said)
    return Response(text, headers=said, media_type="application/json")


def is_known(request: Request, tag: str) -> bool:
    """Say whether *tag* is among those that `If-None-Match` lists; a weak one does as well."""
    if (said := request.headers.get("if-none-match")) is None:
        return False
    tags = [each.strip().removeprefix("W/") for each in said.split(",")]
    return tag in tags or "*" in tags
