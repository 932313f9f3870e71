"""A handler as a process of its own, to be frozen and killed.

    python -m tests.bus.program KAFKA DATABASE NAMESPACE

It says `ready` once it may have work; SIGTERM ends it.
"""

import asyncio
import signal
import sys

from tests.bus.kinds import REGISTRY
from treering.bus import Handler, HandlerOptions
from treering.handling import Handling
from treering.store import Store


async def main(kafka: str, database: str, namespace: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with await Store.open(database, namespace=namespace) as store:
        handler = Handler(
            kafka,
            namespace=namespace,
            handling=Handling(store, REGISTRY),
            store=store,
            registry=REGISTRY,
            options=HandlerOptions(session_seconds=3),
        )
        print("ready", flush=True)  # noqa: T201 - how the test knows
        await handler.run(stop)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
