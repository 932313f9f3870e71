"""ULIDs: 26 characters that sort by time, at random, or derived so that a retry is the same."""

import hashlib
import os
import time
from datetime import UTC, datetime

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAIRS = [a + b for a in ALPHABET for b in ALPHABET]


def _encode(number: int) -> str:
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)])


def _milliseconds(moment: datetime) -> int:
    past = moment - _EPOCH
    return (past.days * 86_400 + past.seconds) * 1000 + past.microseconds // 1000


def new() -> str:
    """Return a new ULID of this moment."""
    milliseconds = time.time_ns() // 1_000_000
    return _encode((milliseconds << 80) | int.from_bytes(os.urandom(10)))


def derive(moment: datetime, *seed: str) -> str:
    """Return the ULID that *moment* and *seed* make, the same one every time."""
    digest = hashlib.blake2b("\0".join(seed).encode(), digest_size=10).digest()
    return _encode((_milliseconds(moment) << 80) | int.from_bytes(digest))


def first_of(moment: datetime) -> str:
    """Return the smallest ULID of *moment*: where its range begins."""
    return _encode(_milliseconds(moment) << 80)


def normal(text: str) -> str | None:
    """Return *text* as a ULID in capitals, or None if it is none."""
    upper = text.upper()
    if len(upper) != 26 or upper[0] > "7" or any(c not in _VALUES for c in upper):
        return None
    return upper
