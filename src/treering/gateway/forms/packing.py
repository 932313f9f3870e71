"""Packing: gzip and brotli, at their fastest."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Protocol

import brotli
from isal import isal_zlib

from treering.gateway.forms.accepting import Coding

SUFFIXES: Mapping[Coding, str] = {"br": "br", "gzip": "gz"}
"""What ends the tag of what is packed so."""
_brotli: Any = brotli
_zlib: Any = isal_zlib
_GZIP = 31
"""What zlib calls a gzip file."""
_QUALITY = 1


def packed(body: bytes, coding: Coding) -> bytes:
    """Return *body*, packed."""
    if coding == "br":
        return _brotli.compress(body, quality=_QUALITY)
    return _zlib.compress(body, 1, _GZIP)


async def poured(pieces: AsyncGenerator[bytes], coding: Coding) -> AsyncGenerator[bytes]:
    """Yield *pieces* packed, as they come."""
    packer = _packer(coding)
    async with aclosing(pieces):
        async for piece in pieces:
            if some := packer.compress(piece):
                yield some
    yield packer.flush()


class _Packer(Protocol):
    def compress(self, piece: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class _Brotli:
    """The same calls as zlib's."""

    def __init__(self) -> None:
        self._compressor = _brotli.Compressor(quality=_QUALITY)

    def compress(self, piece: bytes, /) -> bytes:
        return self._compressor.process(piece)

    def flush(self) -> bytes:
        return self._compressor.finish()


def _packer(coding: Coding) -> _Packer:
    return _Brotli() if coding == "br" else _zlib.compressobj(1, wbits=_GZIP)
