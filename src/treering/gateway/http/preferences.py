"""What a client would like (`Prefer`, RFC 7240); what is not known is passed over."""

import re
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

type Returns = Literal["minimal", "representation"]

_SECONDS = re.compile(r"\d{1,9}", re.ASCII)
_RETURNS: dict[str, Returns] = {"minimal": "minimal", "representation": "representation"}


@dataclass(frozen=True, slots=True)
class Preferences:
    """The preferences of one write."""

    is_async: bool = False
    """`respond-async`: rather an address than a wait."""
    wait: int | None = None
    """`wait=5`: seconds to wait for the outcome."""
    returns: Returns | None = None
    """`return=minimal` or `return=representation`."""
    replaces: bool = False
    """`handling=replace`."""


_NONE = Preferences()


def preferences(request: Request) -> Preferences:
    """Return what *request* prefers."""
    lines = request.headers.getlist("prefer")
    return read(",".join(lines)) if lines else _NONE


def read(said: str) -> Preferences:
    """Return what a `Prefer` header says; of what it says twice the first counts."""
    found: dict[str, str] = {}
    for each in said.split(","):
        name, _, value = each.partition(";")[0].partition("=")
        found.setdefault(name.strip().lower(), value.strip(' \t"').lower())
    wait = found.get("wait", "")
    return Preferences(
        is_async="respond-async" in found,
        wait=int(wait) if _SECONDS.fullmatch(wait) else None,
        returns=_RETURNS.get(found.get("return", "")),
        replaces=found.get("handling") == "replace",
    )


def shaped(response: Response, prefers: Preferences) -> Response:
    """Return *response* as it is preferred, and say so: without its body if that is enough."""
    if prefers.returns is None or response.status_code not in {200, 201}:
        return response
    if prefers.returns == "minimal":
        kept = {name: response.headers[name] for name in ("location",) if name in response.headers}
        status = 201 if response.status_code == 201 else 204
        response = Response(status_code=status, headers=kept)
    response.headers["Preference-Applied"] = f"return={prefers.returns}"
    return response
