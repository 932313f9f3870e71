"""An aiokafka transactional producer that sends the records of events, made before.

Arguments: Kafka, topic, URL, namespace, and how many events. Each line "BATCH" is answered with
records a second, in transactions of so many records.
"""

import asyncio
import sys
import time
from typing import Any

import uvloop
from aiokafka import AIOKafkaProducer

from treering.bus.partitions import partition_of
from treering.relay.records import EventRecord, EventWriter
from treering.store import Reader


async def records(url: str, namespace: str, count: int) -> list[EventRecord]:
    """Return the records of the first *count* events of a store."""
    async with await Reader.open(url, namespace=namespace) as store:
        writer = EventWriter(namespace, (await store.head()).epoch)
        return [
            writer.record(each, partition_of(each.stream, 4))
            for each in await store.read(0, limit=count)
        ]


async def send(producer: Any, topic: str, batch: list[EventRecord]) -> None:
    """Send *batch* in one transaction, every record acknowledged before its commit."""
    await producer.begin_transaction()
    sent = [
        await producer.send(topic, each.value, each.key, each.partition, headers=list(each.headers))
        for each in batch
    ]
    await asyncio.gather(*sent)
    await producer.commit_transaction()


async def main(kafka: str, topic: str, url: str, namespace: str, count: str) -> None:
    """Answer each line."""
    made = await records(url, namespace, int(count))
    producer: Any = AIOKafkaProducer(
        bootstrap_servers=kafka, transactional_id="peer", max_batch_size=512 * 1024
    )
    await producer.start()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        size = int(float(line))
        began = time.perf_counter()
        for first in range(0, len(made), size):
            await send(producer, topic, made[first : first + size])
        print(len(made) / (time.perf_counter() - began), flush=True)
    await producer.stop()


uvloop.run(main(*sys.argv[1:6]))
