"""Who is given rights in a store, keeps them, and is made if he is not there."""

import asyncio

import pytest

from tests.store.asking import appended, as_owner, asking, owner_of, soon
from tests.store.test_migrations import shape_of
from treering.errors import StoreNotReady
from treering.sql import REVISION
from treering.store import Store, migrations
from treering.store.connecting import url_for
from treering.testing.fixtures import Database


async def test_users_who_are_not_named_keep_their_rights_in_both_directions(
    database: Database,
) -> None:
    owner, namespace = database.owner, database.namespace
    shape = await shape_of(database)
    for below in ("0002", "0001"):
        await migrations.downgrade(owner, namespace, to=below)
        await migrations.upgrade(owner, namespace)
        assert await shape_of(database) == shape
    async with await Store.open(database.writer, namespace=namespace) as store:
        assert (await appended(store, asking("tank/1"))).base == 0


async def test_who_goes_up_at_the_same_moment_waits(database: Database, namespace: str) -> None:
    other = f"{namespace}-two"
    names = {"writer": f"{namespace}_w", "reader": f"{namespace}_r"}
    found = await asyncio.gather(
        *(migrations.upgrade(database.owner, other, **names) for _ in range(3))
    )
    owner = await owner_of(database)
    for each in (other, f"{other}_read"):
        await owner.execute(f"drop schema {each.replace('-', '_')} cascade")
    for user in names.values():
        await owner.execute(f'drop owned by "{user}"; drop role "{user}"')
    await owner.close()
    assert found == [REVISION] * 3


async def test_a_user_whom_another_service_makes_at_the_same_moment_is_shared(
    database: Database, namespace: str
) -> None:
    writer = f"{namespace}_w"
    owner, watching = await owner_of(database), await owner_of(database)
    async with owner.transaction():
        await owner.execute(f'create role "{writer}"')
        upgrade = asyncio.create_task(migrations.upgrade(database.owner, namespace, writer=writer))
        await soon(lambda: watching.fetchval(WAITS_FOR_A_USER))
    assert await upgrade == REVISION
    await owner.execute(f'drop owned by "{writer}"; drop role "{writer}"')
    for each in (owner, watching):
        await each.close()


WAITS_FOR_A_USER = """
select count(*) from pg_stat_activity
 where wait_event_type = 'Lock' and query like 'create role%'
"""


async def test_one_user_may_be_owner_writer_and_reader(database: Database) -> None:
    user = await as_owner(database, "select current_user")
    await migrations.upgrade(database.owner, database.namespace, writer=user, reader=user)


async def test_a_user_one_may_not_make_is_asked_for(database: Database, namespace: str) -> None:
    owner = await owner_of(database)
    name = await owner.fetchval("select current_database()")
    await owner.execute(
        f'create role "{namespace}" login; grant create on database {name} to "{namespace}"'
    )
    try:
        with pytest.raises(StoreNotReady, match="make it first"):
            await migrations.upgrade(
                url_for(database.owner, namespace), f"{namespace}-own", writer="treering_unmade"
            )
    finally:
        await owner.execute(f'drop owned by "{namespace}" cascade; drop role "{namespace}"')
        await owner.close()


async def test_who_may_not_migrate_is_told(database: Database) -> None:
    with pytest.raises(StoreNotReady, match="lacks a right"):
        await migrations.upgrade(database.writer, f"{database.namespace}-other")
