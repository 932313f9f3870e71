"""A topic of events as an administrator sees it: what it keeps, and how it is made."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from treering.bus.kafka import LARGEST_RECORD
from treering.errors import BusError

_MADE_SECONDS = 10.0
"""Kafka says that a topic is made before all of it knows."""
_LOOK_SECONDS = 0.02


async def retention(kafka: str, topic: str) -> timedelta | None:
    """Return for how long *topic* keeps records; None: for ever."""
    said = (await _settings(kafka, [topic]))[topic]
    kept = int(said.get("retention.ms", "-1"))
    if kept < 0 or "delete" not in said.get("cleanup.policy", "delete"):
        return None
    return timedelta(milliseconds=kept)


async def compacted(kafka: str, topics: Sequence[str]) -> frozenset[str]:
    """Return those of *topics* that keep but the newest record of each key."""
    found = await _settings(kafka, topics)
    return frozenset(
        topic for topic, said in found.items() if "compact" in said.get("cleanup.policy", "")
    )


async def make(kafka: str, topic: str, partitions: int) -> None:
    """Make *topic* unless it is there; it keeps its records for ever."""
    configs = {"retention.ms": "-1", "max.message.bytes": str(LARGEST_RECORD)}
    async with _admin(kafka) as admin:
        if topic in await admin.list_topics():
            return
        await admin.create_topics(
            [NewTopic(topic, partitions, -1, replica_assignments={}, topic_configs=configs)]
        )
        async with asyncio.timeout(_MADE_SECONDS):
            while True:
                if topic in await admin.list_topics():
                    return
                await asyncio.sleep(_LOOK_SECONDS)


async def _settings(kafka: str, topics: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics]
    found: dict[str, Mapping[str, str]] = {}
    async with _admin(kafka) as admin:
        for response in cast("Any", await admin.describe_configs(resources)):
            for _, _, _, topic, entries in response.resources:
                found[topic] = {entry[0]: entry[1] for entry in entries}
    return found


@asynccontextmanager
async def _admin(kafka: str) -> AsyncGenerator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    try:
        await admin.start()
        yield admin
    except (KafkaError, OSError) as error:
        raise BusError(f"Kafka at {kafka} did not answer: {error}.") from error
    finally:
        await admin.close()
