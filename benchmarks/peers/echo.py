"""The peer of the command path: takes records off one topic and sends them back on another."""

import asyncio
import sys
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer


async def echo(kafka: str, source: str, target: str) -> None:
    """Echo for ever: a batch at a time, all acknowledged, then committed."""
    consumer: Any = AIOKafkaConsumer(
        source,
        bootstrap_servers=kafka,
        group_id=f"{source}.echo",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    producer: Any = AIOKafkaProducer(bootstrap_servers=kafka, acks="all")
    await consumer.start()
    await producer.start()
    while True:
        found = await consumer.getmany(timeout_ms=1000, max_records=500)
        sent = [
            await producer.send(target, record.value, record.key, 0, headers=[*record.headers])
            for records in found.values()
            for record in records
        ]
        await asyncio.gather(*sent)
        if found:
            await consumer.commit(
                {partition: records[-1].offset + 1 for partition, records in found.items()}
            )


if __name__ == "__main__":
    uvloop.run(echo(*sys.argv[1:4]))
