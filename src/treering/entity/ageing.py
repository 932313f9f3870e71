"""What is on its way out: since when, until when, and where to read about it."""

from calendar import timegm
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from email.utils import formatdate

from treering.errors import DeclarationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Deprecated:
    """Says of an entity, or of an address that it had before, that nobody should begin with it.

    class Gauge(Entity, deprecated=Deprecated(since=date(2026, 1, 31), until=date(2026, 7, 31))):
        ...
    """

    since: date
    until: date | None = None
    """The day on which it may be gone."""
    link: str = ""
    """A page that says what to do instead."""

    def __post_init__(self) -> None:
        """Refuse what would end before it begins, and a link that would break the header."""
        if self.until is not None and self.until < self.since:
            raise DeclarationError(f"Deprecated: until {self.until} is before since {self.since}.")
        if not (self.link.isascii() and self.link.isprintable()) or {*self.link} & {*' <>"'}:
            raise DeclarationError(f"Deprecated: {self.link!r} is no address of a page.")

    def headers(self) -> Mapping[str, str]:
        """Return what answers say of it (RFC 9745, RFC 8594)."""
        found = {"Deprecation": f"@{_midnight(self.since)}"}
        if self.until is not None:
            found["Sunset"] = formatdate(_midnight(self.until), usegmt=True)
        if self.link:
            found["Link"] = f'<{self.link}>; rel="deprecation"'
        return found


def _midnight(day: date) -> int:
    return timegm(day.timetuple())
