"""Who says a command: an HMAC over all of it that counts, with the namespace's key."""

import hmac
from base64 import b64encode
from collections.abc import Sequence
from hashlib import blake2b


def sign(  # noqa: PLR0913 - the fields of the contract, in its order
    secret: bytes,
    *,
    id: str,
    tenant: str = "",
    actor: str = "",
    type: str,
    subject: str = "",
    expected: str = "",
    body: bytes,
) -> str:
    """Return the signature of a command; what it does not say has the length 0.

    HMAC-SHA256, base64, over each field as its UTF-8 bytes after its length in four bytes, big
    end first.
    """
    said = [field.encode() for field in (id, tenant, actor, type, subject, expected)]
    return signature(secret, [*said, body]).decode()


def signature(secret: bytes, fields: Sequence[bytes]) -> bytes:
    """Return the signature of id, tenant, actor, type, subject, expected version and body."""
    return b64encode(hmac.digest(secret, joined(fields), "sha256"))


def is_signed(secret: bytes, fields: Sequence[bytes], said: bytes) -> bool:
    """Tell whether *said* is the signature of *fields*."""
    return hmac.compare_digest(signature(secret, fields), said)


def fingerprint(fields: Sequence[bytes]) -> bytes:
    """Return 16 bytes that tell whether an id is used again for something else.

    *fields* are type, subject as said, expected version and body.
    """
    return blake2b(joined(fields), digest_size=16).digest()


def joined(fields: Sequence[bytes]) -> bytes:
    """Return *fields* in one, so that no two lists of fields make the same."""
    return b"".join([len(field).to_bytes(4) + field for field in fields])
