"""A handler as a process of its own, to be killed at named points.

    python -m tests.system.handler KAFKA DATABASE NAMESPACE [hasty]

It says `ready` once it may have work. A hasty one commits its offsets before it appends, which is
wrong: the tests must notice.
"""

import asyncio
import sys

from tests.system.kinds import REGISTRY
from treering.bus import Handler, HandlerOptions
from treering.bus.handler import Found
from treering.bus.kafka import Consumer
from treering.handling import Handling
from treering.store import Store


class Hasty(Handler):
    """Commits what it has only just taken."""

    async def _taken(self, consumer: Consumer) -> Found:
        found = await super()._taken(consumer)
        self._note(found, self._turns.assignment)
        await self._commit()
        return found


async def main(kafka: str, database: str, namespace: str, mood: str = "") -> None:
    async with await Store.open(database, namespace=namespace) as store:
        handler = (Hasty if mood else Handler)(
            kafka,
            namespace=namespace,
            handling=Handling(store, REGISTRY),
            store=store,
            registry=REGISTRY,
            options=HandlerOptions(session_seconds=2),
        )
        print("ready", flush=True)  # noqa: T201 - how the test knows
        await handler.run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
