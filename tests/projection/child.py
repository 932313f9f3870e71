"""A projector in a process of its own, to be killed and frozen: what the tests start.

`python -m tests.projection.child DATABASE NAMESPACE [freezing|alone|rebuilding]`
"""

import asyncio
import os
import signal
import sys

from tests.projection.world import COUNTS, PARCELS, REGISTRY
from treering.projection import Projector, pack, rebuild
from treering.store import Reader


def freeze(point: str) -> None:
    """Freeze with a transaction open."""
    if point == "projector-before-commit":
        os.kill(os.getpid(), signal.SIGSTOP)


async def main(database: str, namespace: str, how: str) -> None:
    """Fold for ever, or build anew once."""
    async with await Reader.open(database, namespace=namespace) as reader:
        if how == "rebuilding":
            await rebuild(reader, REGISTRY, COUNTS, namespace=namespace)
            return
        projections = [COUNTS] if how == "alone" else [PARCELS, COUNTS]
        projector = Projector(reader, REGISTRY, projections, namespace=namespace)
        await projector.run(asyncio.Event())


if __name__ == "__main__":
    (how,) = sys.argv[3:] or [""]
    if how == "freezing":
        pack.reached = freeze
    asyncio.run(main(sys.argv[1], sys.argv[2], how))
