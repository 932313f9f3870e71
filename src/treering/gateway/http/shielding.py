"""What every answer says to browsers, so that none of them makes more of it than it is."""

from starlette.responses import Response

type Header = tuple[bytes, bytes]

_POLICY = b"content-security-policy"
_DATA: Header = (_POLICY, b"default-src 'none'; frame-ancestors 'none'")
"""Of what is no page: nothing in it runs, loads or is framed."""
_PAGE: Header = (_POLICY, b"frame-ancestors 'self'")
"""Of a page that has no policy of its own."""
_DOCUMENTS = (b"text/html", b"application/xhtml+xml", b"image/svg+xml", b"text/javascript")
_ALWAYS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"SAMEORIGIN"),
)


class Shield:
    """Adds the headers; one that an answer brings itself stays as it is."""

    def __init__(self, hsts_seconds: int | None = None) -> None:
        self._always = _ALWAYS
        if hsts_seconds is not None:
            said = f"max-age={hsts_seconds}; includeSubDomains".encode()
            self._always = (*_ALWAYS, (b"strict-transport-security", said))

    def over(self, response: Response) -> list[Header]:
        """Return the headers that *response* lacks.

        One without a type, such as that of an application beside us, says itself what may run.
        """
        said = dict(response.raw_headers)
        lacking = [each for each in self._always if each[0] not in said]
        kind = said.get(b"content-type")
        if kind is not None and _POLICY not in said:
            lacking.append(_PAGE if kind.startswith(_DOCUMENTS) else _DATA)
        return lacking
