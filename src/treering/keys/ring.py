"""Who has which key: every request asks here, so that it is one look-up in memory."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from treering.domain.api_key import Access
from treering.errors import SettingsError
from treering.keys.issued import IssuedKeys
from treering.keys.making import digest_of, prefix_of

_LONGEST = 512
_SHORTEST = 8


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who asks, and what they may."""

    actor: str
    """What their commands and events say: `api-key/<name>`, for instance."""
    access: Access
    prefix: str = ""
    """Which key of that name, of those that were issued."""


class Keyring:
    """The *issued* keys and the *configured* ones; it is open until there is one of either."""

    def __init__(self, issued: IssuedKeys | None = None, configured: Sequence[str] = ()) -> None:
        self._issued = issued
        self._configured = [
            (digest_of(each), Bearer(f"configured-key/{_tag(each)}", "admin"))
            for each in configured
        ]

    @property
    def issued(self) -> IssuedKeys | None:
        return self._issued

    @property
    def names(self) -> Sequence[str]:
        """Who has the configured keys, as events call them."""
        return [bearer.actor for _, bearer in self._configured]

    @property
    def is_open(self) -> bool:
        """Whether no key exists: one that was issued once closes it for good."""
        return not self._configured and not self._issued

    def bearer(self, key: str) -> Bearer | None:
        """Return who has *key*; None if nobody has, any more or yet.

        How long that takes says nothing of any key: digests are compared, and to the end.
        """
        if len(key) > _LONGEST:
            return None
        digest = digest_of(key)
        found: Bearer | None = None
        for known, bearer in self._configured:
            if hmac.compare_digest(known, digest):
                found = bearer
        return found or self._bearer_of_issued(prefix_of(key), digest)

    def knows(self, bearer: Bearer) -> bool:
        """Say whether who was let in with a key still is."""
        key = self._issued.get(bearer.actor) if self._issued is not None and bearer.prefix else None
        if key is None:
            return not bearer.prefix
        return key.prefix == bearer.prefix and key.lets_in(datetime.now(UTC))

    def _bearer_of_issued(self, prefix: str | None, digest: str) -> Bearer | None:
        if prefix is None or self._issued is None:
            return None
        now = datetime.now(UTC)
        for stream, each in self._issued.with_prefix(prefix):
            if hmac.compare_digest(each.digest, digest) and each.lets_in(now):
                return Bearer(stream, each.access, each.prefix)
        return None


def _tag(key: str) -> str:
    """Return what events call *key*: too dear to work out for whoever wants to guess it."""
    return hashlib.scrypt(key.encode(), salt=b"treering", n=2**14, r=8, p=1, dklen=4).hex()


def configured_keys(said: str | None, file: Path | None) -> Sequence[str]:
    """Return the keys that settings name: joined by commas, and a line each in *file*.

    Empty lines there, and those that begin with `#`, are none. Raises SettingsError if the file
    cannot be read, has no key, or a key is so short that it can be guessed.
    """
    keys = [each.strip() for each in (said or "").split(",")]
    if file is not None:
        try:
            lines = [each.strip() for each in file.read_text(encoding="utf-8").splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"TREERING_API_KEY_FILE: {file} can not be read: {error}."
            ) from error
        keys += [each for each in lines if not each.startswith("#")]
    found = [*dict.fromkeys(each for each in keys if each)]
    if (said is not None or file is not None) and not found:
        where = "TREERING_API_KEY_FILE" if file is not None else "TREERING_API_KEYS"
        raise SettingsError(f"{where} names no key: name one, or leave the setting out.")
    if any(not _SHORTEST <= len(each) <= _LONGEST or not each.isascii() for each in found):
        raise SettingsError(
            f"A configured API key has {_SHORTEST} to {_LONGEST} characters, all ASCII."
        )
    return found
