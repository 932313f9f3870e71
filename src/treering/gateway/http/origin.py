"""Whom the gateway answers: requests meant for it, and no writes from the pages of another site."""

import re
from collections.abc import Callable, Collection
from ipaddress import ip_address

from starlette.requests import HTTPConnection

from treering.gateway.http.problem import CrossSite, UnknownHost

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_PORTS = {"http": "80", "https": "443"}
_NAME = r"(\[[0-9a-f:.]+\]|[^:/@\[\]]+)(?::(\d*))?"
_HOST = re.compile(_NAME)
_ORIGIN = re.compile(rf"(https?)://{_NAME}")
_SHOWN = 200


def names_of(host: str, allowed: str | None) -> frozenset[str] | None:
    """Return the names that who listens on *host* answers to; None: whatever the name.

    On loopback only its own names count, else any page could reach us under a name that it has
    point here. *allowed* are further ones, joined by commas.
    """
    if allowed is None and not _is_loopback(host):
        return None
    further = [each.strip().lower() for each in (allowed or "").split(",") if each.strip()]
    return _LOOPBACK | {f"[{host}]" if ":" in host else host.lower(), *further}


def check(
    request: HTTPConnection,
    names: Collection[str] | None,
    lets_write: Callable[[str], bool] = lambda _origin: False,
) -> None:
    """Raise UnknownHost or CrossSite unless *request* may be answered under one of *names*.

    *lets_write* says of the origin of another site whether its pages may write. A WebSocket is
    treated as a write is: a browser lets any page open one, and read all that it says.
    """
    host = request.headers.get("host", "")
    if names is not None and host and _name(host) not in names:
        raise UnknownHost(
            f"{host[:_SHOWN]!r} is no name of this service: ask it as localhost, or add the name "
            "to TREERING_ALLOWED_HOSTS."
        )
    if request.scope["type"] == "http" and request.scope["method"] not in _UNSAFE:
        return
    origin = request.headers.get("origin")
    if origin is not None and lets_write(origin):
        return
    is_foreign = origin is not None and not _is_same(origin, host)
    if is_foreign or request.headers.get("sec-fetch-site") == "cross-site":
        raise CrossSite(
            f"A page of {(origin or 'another site')[:_SHOWN]} may not write to {host[:_SHOWN]}: "
            "write from a program or from a page of this address, or name its origin in "
            "TREERING_CORS_ORIGINS; a proxy in between has to pass Host on as it came."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _name(host: str) -> str | None:
    found = _HOST.fullmatch(host.lower())
    return found and found[1]


def _is_same(origin: str, host: str) -> bool:
    """Tell whether a page of *origin* is a page of *host*; an unsaid port is the scheme's."""
    page, here = _ORIGIN.fullmatch(origin.lower()), _HOST.fullmatch(host.lower())
    if page is None or here is None:
        return False
    port = _PORTS[page[1]]
    return (page[2], page[3] or port) == (here[1], here[2] or port)
