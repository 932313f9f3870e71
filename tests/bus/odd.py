"""A program that sends records with a header whose name is no UTF-8, as a client in C may.

    AIOKAFKA_NO_EXTENSIONS=1 python -m tests.bus.odd KAFKA TOPIC

aiokafka in pure Python can be made to; each compression has one, with a neighbour on either side.
"""

import asyncio
import sys

from tests.bus.raw import Raw, send

TYPE = ("ce_type", b"dataset.create.v1")
COMPRESSIONS = (None, "gzip", "snappy", "lz4", "zstd")


class Odd(str):
    """A name that no text can have."""

    __slots__ = ()

    def encode(self, encoding: str = "", errors: str = "") -> bytes:  # noqa: ARG002
        return b"\xff\xfe"


async def main(kafka: str, topic: str) -> None:
    for compression in COMPRESSIONS:
        names = [f"{word}-{compression}" for word in ("before", "odd", "after")]
        before, odd, after = (_create(name) for name in names)
        odd = (odd[0], odd[1], [*odd[2], (Odd("name"), b"1")])
        await send(kafka, topic, before, odd, after, compression=compression)


def _create(name: str) -> Raw:
    return f"dataset/{name}".encode(), b'{"name":"%b"}' % name.encode(), [TYPE]


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
