"""Who is let in: whoever has a key, everybody while there is none; asked before any endpoint."""

from typing import Protocol
from weakref import WeakSet

from starlette.types import Scope

from treering.domain.api_key import Access, Forbidden
from treering.errors import Refusal
from treering.gateway.http.problem import Unauthorized
from treering.keys import Bearer, Keyring

HEADER = "X-API-Key"
OPEN_PATHS = "/,/docs,/docs/*,/redoc,/openapi.json,/health,/health/live,/health/ready"
"""What is read without a key unless settings say otherwise."""
_ALWAYS = frozenset({"/health/live", "/health/ready"})
"""What whoever starts and stops processes reads, and has no key."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_MAY: dict[Access, frozenset[Access]] = {
    "read": frozenset({"read"}),
    "write": frozenset({"read", "write"}),
    "admin": frozenset({"read", "write", "admin"}),
}
_SOMEBODY = Bearer("http", "admin")
"""Whoever asks while there is no key."""
_PASSER_BY = Bearer("http", "read")
"""Whoever reads what is open to all."""
_BEARER = "treering.bearer"


class Held(Protocol):
    """What goes on for long, such as a stream."""

    def finish(self, why: Refusal, /) -> None:
        """End it, and say why."""
        ...


class Guard:
    """Knows by the *ring* of keys who asks, says so in the scope, and keeps others out.

    Streams and WebSockets are let in like all else, by `admit`; what is told to `hold` is ended
    once its bearer is let in no more.
    """

    def __init__(
        self, ring: Keyring | None = None, *, header: str = HEADER, open_paths: str | None = None
    ) -> None:
        self.ring = ring or Keyring()
        self.header = header
        self._name = header.lower().encode()
        said = OPEN_PATHS if open_paths is None else open_paths
        paths = [each for each in said.split(",") if each]
        self._held: dict[Bearer, WeakSet[Held]] = {}
        if self.ring.issued is not None:
            self.ring.issued.watchers.append(self._expel)
        self._open = _ALWAYS | {each for each in paths if not each.endswith("*")}
        self._open_below = tuple(each[:-1] for each in paths if each.endswith("*"))

    def admit(self, scope: Scope) -> Bearer:
        """Note in *scope* who asks; raises Unauthorized or Forbidden if that may not be."""
        scope[_BEARER] = bearer = self._bearer(scope)
        if scope.get("method", "GET") not in _SAFE:
            require(scope, "write")
        return bearer

    def hold(self, scope: Scope, held: Held) -> None:
        """Finish *held*, unless that is over by then, once who asks is let in no more."""
        self._held.setdefault(bearer_of(scope), WeakSet()).add(held)

    def _expel(self) -> None:
        """Finish what is held of those who are let in no more."""
        for bearer, held in [*self._held.items()]:
            is_over = bearer == _SOMEBODY and not self.ring.is_open
            if is_over or not self.ring.knows(bearer):
                for each in self._held.pop(bearer):
                    each.finish(Unauthorized("The API key lets in no more", header=self.header))
            elif not held:
                del self._held[bearer]

    def _bearer(self, scope: Scope) -> Bearer:
        if self.ring.is_open:
            return _SOMEBODY
        said = [value for name, value in scope["headers"] if name == self._name]
        if len(said) == 1 and (found := self.ring.bearer(said[0].decode("latin-1"))) is not None:
            return found
        if scope.get("method", "GET") in _SAFE and self._is_open(scope["path"]):
            return _PASSER_BY
        raise Unauthorized(self._reason(said), header=self.header)

    def _reason(self, said: list[bytes]) -> str:
        if not said:
            return f"Missing authentication header: {self.header}"
        return "Invalid API key" if len(said) == 1 else f"{self.header} is said more than once"

    def _is_open(self, path: str) -> bool:
        if path in self._open:
            return True
        return path.startswith(self._open_below) and not {".", ".."} & {*path.split("/")}


def bearer_of(scope: Scope) -> Bearer:
    """Return who asks; who was not let in by `admit` is a passer-by."""
    return scope.get(_BEARER, _PASSER_BY)


def is_known(scope: Scope) -> bool:
    """Say whether who asks is more than a passer-by, who only reads what is open to all."""
    return bearer_of(scope) != _PASSER_BY


def require(scope: Scope, access: Access) -> None:
    """Raise Forbidden unless whoever asks may do what wants this *access*."""
    bearer = bearer_of(scope)
    if access not in _MAY[bearer.access]:
        raise Forbidden(
            f"{bearer.actor} may {bearer.access}, and this wants a key that may {access}.",
            wanted=access,
        )
