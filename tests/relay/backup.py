"""What an operator may do to a store and to Kafka: restore an older backup, delete topics."""

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient

from treering.store.connecting import schema_of
from treering.testing.fixtures import Database


async def restore(database: Database, position: int, *, epoch: str | None = None) -> None:
    """Take the store back to *position*, as a backup of that time would."""
    connection = await asyncpg.connect(
        database.owner, server_settings={"search_path": schema_of(database.namespace)}
    )
    try:
        async with connection.transaction():
            await connection.execute("alter table events disable trigger events_stay")
            await connection.execute("delete from events where position > $1", position)
            await connection.execute("alter table events enable trigger events_stay")
            await connection.execute(
                "update stream set version = coalesce((select max(version) from events"
                " where events.stream = stream.stream), 0)"
            )
            await connection.execute("delete from stream where version = 0")
            await connection.execute(
                "update head set position = $1, epoch = coalesce($2, epoch)", position, epoch
            )
    finally:
        await connection.close()


async def delete(kafka: str, *topics: str) -> None:
    """Delete *topics*, and return when they are gone."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.delete_topics([*topics])
        while set(topics) & set(await admin.list_topics()):
            pass
    finally:
        await admin.close()
