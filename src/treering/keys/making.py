"""How a key is made, and what is kept of it: only who made it ever sees the whole."""

import hashlib
import secrets
from dataclasses import dataclass, field

_WORD = "trk"
_PREFIX_BYTES = 6
_SECRET_BYTES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A new key, and what is said of it in a command."""

    key: str = field(repr=False)
    """To be shown once, and kept nowhere."""
    prefix: str
    digest: str


def made() -> Made:
    """Make a key: `trk_`, the prefix by which it is found, and 192 random bits."""
    prefix = secrets.token_hex(_PREFIX_BYTES)
    key = f"{_WORD}_{prefix}_{secrets.token_hex(_SECRET_BYTES)}"
    return Made(key=key, prefix=prefix, digest=digest_of(key))


def digest_of(key: str) -> str:
    """Return what is kept of *key*; a fast digest is enough, as nobody can guess 192 bits."""
    return hashlib.sha256(key.encode()).hexdigest()


def prefix_of(key: str) -> str | None:
    """Return the prefix of a key of ours; None if it looks like none."""
    word, _, rest = key.partition("_")
    prefix, _, secret = rest.partition("_")
    return prefix if word == _WORD and secret else None
