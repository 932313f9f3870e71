"""Whether Kafka is there: asked when it matters, never assumed."""

import asyncio

from treering.bus import Topics, partition_counts
from treering.errors import BusError


class Broker:
    """Kafka as seen by those who only want to know whether it answers."""

    def __init__(self, kafka: str, namespace: str) -> None:
        self._kafka = kafka
        self._topic = Topics(namespace).commands

    async def answers(self, patience: float = 1) -> bool:
        """Say whether Kafka knows the commands topic, within *patience* seconds."""
        try:
            async with asyncio.timeout(patience):
                await partition_counts(self._kafka, [self._topic])
        except (BusError, TimeoutError):
            return False
        return True
