"""A relay in a process of its own, to be killed and frozen: what the tests start.

`python -m tests.relay.child KAFKA DATABASE NAMESPACE [freezing|late|early]`
"""

import asyncio
import os
import signal
import sys
from typing import Any, cast

from tests.relay.forest import REGISTRY
from treering.relay import Relay, RelayOptions
from treering.relay.checkpoint import Checkpoint
from treering.relay.log import Log
from treering.relay.outbox import Outbox
from treering.relay.resume import Resumption
from treering.store import Reader


async def told() -> None:
    """Say that the turn has come, and wait for a word."""
    print("locked", flush=True)  # noqa: T201 - to the test
    await asyncio.to_thread(sys.stdin.readline)


class FreezingRelay(Relay):
    """Freezes itself just before it commits its first events."""

    async def forward(self, outbox: Outbox, mark: Checkpoint, stop: asyncio.Event) -> None:
        producer = cast("Any", outbox)._producer  # noqa: SLF001 - what happens there is the test
        commit, transactions = producer.commit_transaction, 0

        async def freeze() -> None:
            nonlocal transactions
            transactions += 1
            if transactions == 2:
                os.kill(os.getpid(), signal.SIGSTOP)
            await commit()

        producer.commit_transaction = freeze
        await super().forward(outbox, mark, stop)


class LateRelay(Relay):
    """Is slow between the lock and the fence."""

    async def lead(self, stop: asyncio.Event) -> None:
        await told()
        await super().lead(stop)


class EarlyRelay(Relay):
    """Asks how far the one before came, and only then fences it: a planted fault."""

    async def lead(self, stop: asyncio.Event) -> None:
        async with Log.open(self._kafka) as log:
            resumption = Resumption(self._kafka, self._store, log, self._topics)
            mark = await resumption.resume([*REGISTRY.deciders])
        await told()
        async with Outbox.open(self._kafka, self._topics) as outbox:
            await self.forward(outbox, mark, stop)


RELAYS = {"freezing": FreezingRelay, "late": LateRelay, "early": EarlyRelay, "plain": Relay}


async def main(kafka: str, database: str, namespace: str, which: str = "plain") -> None:
    async with await Reader.open(database, namespace=namespace) as store:
        relay = RELAYS[which](
            kafka,
            namespace=namespace,
            store=store,
            registry=REGISTRY,
            options=RelayOptions(batch=20, session_seconds=1),
        )
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await relay.run(stop)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
