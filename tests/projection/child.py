"""A projector in a process of its own, to be killed and frozen: what the tests start.

`python -m tests.projection.child DATABASE NAMESPACE [freezing]`
"""

import asyncio
import os
import signal
import sys

from tests.projection.world import COUNTS, PARCELS, REGISTRY
from treering.projection import Projector, pack
from treering.store import Reader


def freeze(point: str) -> None:
    """Freeze with a transaction open."""
    if point == "projector-before-commit":
        os.kill(os.getpid(), signal.SIGSTOP)


async def main(database: str, namespace: str) -> None:
    """Fold for ever."""
    async with await Reader.open(database, namespace=namespace) as reader:
        projector = Projector(reader, REGISTRY, [PARCELS, COUNTS], namespace=namespace)
        await projector.run(asyncio.Event())


if __name__ == "__main__":
    if sys.argv[3:] == ["freezing"]:
        pack.reached = freeze
    asyncio.run(main(sys.argv[1], sys.argv[2]))
