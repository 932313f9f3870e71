"""`Idempotency-Key`: a request that is sent again is the same command, and has the same verdict."""

import hashlib

from starlette.requests import Request

from treering.errors import IdReused, Problem, Refusal
from treering.gateway.http.problem import Unreadable

HEADER = "Idempotency-Key"
_LONGEST = 255


class KeyReused(IdReused, word=IdReused.word, title="Idempotency-Key used before", status=422):
    """The key was used before for another request; the first verdict stands."""


def key_of(request: Request) -> str | None:
    """Return the key that *request* has; raises Unreadable if it can be none."""
    said = request.headers.get(HEADER)
    if said is None:
        return None
    key = said.strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not 1 <= len(key) <= _LONGEST or not (key.isascii() and key.isprintable()):
        raise Unreadable(f"{HEADER}: say 1 to {_LONGEST} printable characters, such as a UUID.")
    return key


def command_of(actor: str, key: str, *place: object) -> str:
    """Return the id of the command that *actor* says under *key*, or of one of several there."""
    said = "\0".join([actor, key, *map(str, place)]).encode()
    return f"key-{hashlib.blake2b(said, digest_size=16).hexdigest()}"


def is_reused(problem: Problem | None) -> bool:
    """Tell whether *problem* is that of an id which was used before with something else."""
    return problem is not None and problem["type"] == f"urn:treering:error:{IdReused.word}"


def reused(key: str) -> Refusal:
    """Return the refusal of another request under the same *key*."""
    return KeyReused(f"The {HEADER} {key!r} was used before for another request; take a new one.")
