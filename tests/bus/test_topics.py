"""Topics: made once, with what the contract says."""

from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from treering.bus import Topics, create_topics, partition_counts
from treering.embedded import Addresses
from treering.errors import BusError


async def configuration(kafka: str, topic: str) -> dict[str, str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    (response,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    await admin.close()
    found: Any = response
    ((_, _, _, _, entries),) = found.resources
    return {entry[0]: entry[1] for entry in entries}


async def make(kafka: str, name: str, **settings: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1, topic_configs=settings)])
    await admin.close()


async def test_topics_are_made_as_the_contract_says(servers: Addresses, names: Topics) -> None:
    await create_topics(
        servers.kafka, names, ["dataset"], partitions=4, replication=1, events_bytes=2**28
    )
    day = 24 * 60 * 60 * 1000
    commands = await configuration(servers.kafka, names.commands)
    assert commands["message.timestamp.type"] == "LogAppendTime"
    assert (commands["retention.ms"], commands["retention.bytes"]) == (str(7 * day), "-1")
    assert (await configuration(servers.kafka, names.outcomes))["retention.ms"] == str(day)
    assert (await configuration(servers.kafka, names.dead))["retention.ms"] == str(30 * day)
    assert (await configuration(servers.kafka, names.relay))["cleanup.policy"] == "compact"
    events = await configuration(servers.kafka, names.events("dataset"))
    assert events["retention.ms"] == str(30 * day)
    assert int(events["retention.bytes"]) * 4 == 2**28


async def test_the_number_of_partitions_is_set_once(servers: Addresses, names: Topics) -> None:
    await create_topics(servers.kafka, names, [], partitions=4)
    await create_topics(servers.kafka, names, ["later"], partitions=6)
    counts = await partition_counts(servers.kafka, names.all(["later"]))
    assert counts[names.commands] == counts[names.outcomes] == counts[names.dead] == 4
    assert counts[names.events("later")] == 6
    assert counts[names.relay] == 1


APPENDED = {"message.timestamp.type": "LogAppendTime"}


@pytest.mark.parametrize(
    ("settings", "fix"),
    [
        ({}, "message.timestamp.type=LogAppendTime"),
        (APPENDED | {"retention.ms": "-1"}, "retention.ms below 30"),
        (APPENDED | {"retention.ms": "2592000000"}, "retention.ms below 30"),
    ],
)
async def test_a_commands_topic_that_breaks_our_promises_is_refused(
    servers: Addresses, names: Topics, settings: dict[str, str], fix: str
) -> None:
    await make(servers.kafka, names.commands, **settings)
    with pytest.raises(BusError, match=fix):
        await create_topics(servers.kafka, names, [], partitions=4)


async def test_a_topic_that_is_not_there_is_named(servers: Addresses) -> None:
    with pytest.raises(BusError, match=r"nobody\.commands"):
        await partition_counts(servers.kafka, ["nobody.commands"])


async def test_what_kafka_does_not_make_is_named(servers: Addresses, names: Topics) -> None:
    with pytest.raises(BusError, match="did not make topic"):
        await create_topics(servers.kafka, names, [], partitions=1, replication=9)
