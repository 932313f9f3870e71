"""HTTP as it comes in: heads of a bounded size, and a problem for what is no HTTP."""

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from treering.errors import Refusal
from treering.gateway.http.problem import HeadTooLarge, LongAddress, Unreadable, answer

LARGEST_ADDRESS = 65_536
"""Bytes of an address, with what is asked."""
LARGEST_HEAD = 131_072
"""Bytes of a request before its body."""


class Protocol(HttpToolsProtocol):
    """uvicorn's own, which closes the connection where it can not go on."""

    _refusal: Refusal | None = None
    _head = 0
    """Bytes since the request began, while its head is not complete."""

    def data_received(self, data: bytes) -> None:
        """Take in what came; what is too large is not waited for."""
        self._head += len(data)
        super().data_received(data)
        if self._head > LARGEST_HEAD and not self.transport.is_closing():
            self._refusal = self._too_large(self._head)
            self.send_400_response("")

    def on_headers_complete(self) -> None:
        """Begin the request, unless its head is too large."""
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > LARGEST_HEAD or len(self.url) > LARGEST_ADDRESS:
            self._refusal = self._too_large(size)
            raise httptools.HttpParserError(self._refusal.detail)
        self._head = -(2**63)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the request; another one may begin."""
        self._head = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - it is uvicorn's word
        """Answer with a problem, and close the connection."""
        refusal = self._refusal or Unreadable("This is no request as HTTP/1.1 has it.")
        response = answer(refusal.problem(), _path(self.url))
        lines = [b"HTTP/1.1 %d \r\n" % response.status_code]
        lines += [b"%s: %s\r\n" % each for each in response.raw_headers]
        lines.append(b"connection: close\r\n\r\n")
        self.transport.write(b"".join([*lines, bytes(response.body)]))
        self.transport.close()

    def _too_large(self, size: int) -> Refusal:
        if len(self.url) > LARGEST_ADDRESS:
            return LongAddress(
                f"The address has {len(self.url):,} bytes, and may have {LARGEST_ADDRESS:,}; ask "
                "for less at once."
            )
        return HeadTooLarge(
            f"The address and headers have {size:,} bytes, and may have {LARGEST_HEAD:,}."
        )


def _path(url: bytes) -> str:
    return url[:200].partition(b"?")[0].decode("ascii", "replace")
