"""Settling when Kafka does not take the answers: the command is done, and is answered later."""

import pytest
from aiokafka.errors import KafkaError

from tests.bus.kinds import REGISTRY
from tests.bus.raw import outcomes
from tests.bus.records import record
from treering.bus import CommandReader, Topics
from treering.bus.answers import Answers
from treering.bus.kafka import LARGEST_LETTER, new_producer, started
from treering.bus.outcomes import OutcomeWriter
from treering.bus.parking import Parking
from treering.bus.settling import Settling
from treering.embedded import Addresses
from treering.handling import Handling
from treering.schema import SchemaRegistry
from treering.store import Store

CREATE = {"ce_type": b"dataset.create.v1", "ce_id": b"first", "ce_subject": b"dataset/rain"}


async def test_an_answer_that_kafka_does_not_take_is_no_failing_rule(
    servers: Addresses, topics: Topics, store: Store
) -> None:
    parking = Parking(store, REGISTRY, SchemaRegistry())
    settling = Settling(CommandReader(REGISTRY), Handling(store, REGISTRY), store, parking)
    writer = OutcomeWriter(topics.namespace, 4)
    said = record(b'{"name":"rain"}', CREATE | {"reply-to": b"0"})
    hasty = new_producer(servers.kafka, largest=LARGEST_LETTER, request_timeout_ms=500)
    nowhere = Topics(f"{topics.namespace}-gone")
    async with started(hasty) as producer:
        with pytest.raises(KafkaError):
            await settling.settle([said], Answers(producer, nowhere, writer))
    assert (await store.head()).position == 1
    async with started(new_producer(servers.kafka, largest=LARGEST_LETTER)) as producer:
        await settling.settle([said], Answers(producer, topics, writer))
    (outcome,) = await outcomes(servers.kafka, topics.outcomes, 1)
    assert (outcome.command, outcome.outcome) == ("first", "accepted")
    assert settling.statistics.dead == 0
