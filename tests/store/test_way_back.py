"""The way back to an older shape: what it would take, and who keeps it from being gone."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.store.asking import appended, as_owner, asking, owner_of, soon
from treering.errors import StoreNotReady
from treering.sql import REVISION
from treering.store import Reader, Store, migrations
from treering.store.connecting import quoted, schema_of
from treering.store.sessions import close, sessions_of
from treering.testing.fixtures import Database


async def test_what_a_way_back_would_lose_is_said(database: Database, store: Store) -> None:
    await appended(store, asking("dataset/1"))
    await store.close()
    async with asyncio.timeout(10):
        said = await unhindered(database)
    assert [line.split(",")[0] for line in said] == [
        "an index of 0 commands that wait for a newer handler",
        "0 commands that wait for a newer handler",
        "0 references and the stored rules",
        "the store with all that was recorded in it",
    ]
    assert said[-1].endswith(", 1 events")
    assert await migrations.losses(database.owner, database.namespace, to=REVISION) == []


async def test_the_way_back_leads_nowhere_else(database: Database) -> None:
    await migrations.downgrade(database.owner, database.namespace, to="0002")
    assert await migrations.downgrade(database.owner, database.namespace, to="0002") == "0002"
    for above in (REVISION, "head"):
        with pytest.raises(StoreNotReady, match=r"at revision 0002, below 0004: .* upgrade"):
            await migrations.downgrade(database.owner, database.namespace, to=above)


async def test_nobody_goes_back_while_the_service_runs(database: Database, store: Store) -> None:
    await appended(store, asking("dataset/1"))
    with pytest.raises(StoreNotReady, match=r"Processes of .* run, connected .* as process \d+"):
        await migrations.downgrade(database.owner, database.namespace)
    assert (await store.head()).position == 1


async def test_what_others_show_of_the_store_is_not_taken_from_under_them(
    database: Database,
) -> None:
    await as_owner(database, "create view public.shown as select count(*) from events")
    try:
        with pytest.raises(StoreNotReady, match=r"such as view shown: drop that first"):
            await migrations.losses(database.owner, database.namespace)
        assert await migrations.losses(database.owner, database.namespace, to="0001")
    finally:
        await as_owner(database, "drop view public.shown")


async def test_what_others_show_of_read_models_does_not_hinder_the_way_back(
    database: Database,
) -> None:
    read = f"{schema_of(database.namespace)}_read"
    await as_owner(database, f"create table {quoted(read)}.made (id text)")
    await as_owner(database, f"create view public.made as table {quoted(read)}.made")
    try:
        assert await migrations.losses(database.owner, database.namespace)
    finally:
        await as_owner(database, "drop view public.made")


async def test_who_begins_during_the_way_back_waits_and_is_seen(database: Database) -> None:
    owner, watching = await owner_of(database), await owner_of(database)
    async with owner.transaction():
        assert await close(owner, database.namespace) == []
        opening = asyncio.create_task(Reader.open(database.reader, namespace=database.namespace))
        await soon(lambda: watching.fetchval(WAITS_FOR_THE_REVISION))
        assert len(await sessions_of(watching, database.namespace)) == 1
    await (await opening).close()
    for each in (owner, watching):
        await each.close()


WAITS_FOR_THE_REVISION = """
select count(*) from pg_stat_activity
 where wait_event_type = 'Lock' and query like '%from alembic_version%'
"""


async def unhindered(database: Database) -> Sequence[str]:
    """Return what would be lost, once the sessions of those who left are over."""
    while True:
        try:
            return await migrations.losses(database.owner, database.namespace)
        except StoreNotReady:
            await asyncio.sleep(0.01)


async def test_nobody_works_in_a_store_that_is_not_there(database: Database) -> None:
    connection = await owner_of(database)
    try:
        async with connection.transaction():
            assert await close(connection, "nowhere") == []
    finally:
        await connection.close()
