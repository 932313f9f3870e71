"""The store's shape: up, down, up again, and refused where a right is missing."""

import asyncio

import asyncpg
import pytest

from tests.store.asking import appended, as_owner, asking, owner_of
from treering.errors import StoreNotReady, StoreUnavailable
from treering.sql import REVISION
from treering.store import Store, migrations
from treering.store.connecting import url_for
from treering.testing.fixtures import Database


async def test_the_store_goes_up_down_and_up_again(database: Database) -> None:
    owner, namespace = database.owner, database.namespace
    assert await migrations.current(owner, namespace) == REVISION
    assert await migrations.downgrade(owner, namespace) is None
    left = "select count(*) from pg_class where relnamespace = current_schema()::regnamespace"
    assert await as_owner(database, f"{left} and relname !~ 'alembic'") == 0
    functions = "select count(*) from pg_proc where pronamespace = current_schema()::regnamespace"
    assert await as_owner(database, functions) == 0
    assert await migrations.upgrade(owner, namespace, writer="treering_writer") == REVISION
    async with await Store.open(database.writer, namespace=namespace) as store:
        assert (await appended(store, asking("dataset/1"))).base == 0


async def test_going_up_again_changes_nothing(database: Database, store: Store) -> None:
    await appended(store, asking("dataset/1"))
    names = {"writer": "treering_writer", "reader": "treering_reader"}
    assert await migrations.upgrade(database.owner, database.namespace, **names) == REVISION
    assert (await store.head()).position == 1
    await appended(store, asking("dataset/2"))


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


async def test_one_user_may_be_owner_writer_and_reader(database: Database) -> None:
    user = await as_owner(database, "select current_user")
    await migrations.upgrade(database.owner, database.namespace, writer=user, reader=user)


async def test_a_database_without_a_store_has_no_revision(database: Database) -> None:
    assert await migrations.current(database.owner, "nobody-made-this") is None
    await as_owner(database, "drop table alembic_version")
    assert await migrations.current(database.owner, database.namespace) is None
    with pytest.raises(StoreNotReady, match="no store"):
        await migrations.downgrade(database.owner, database.namespace)


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


async def test_a_migration_does_not_wait_for_ever(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treering.store.migrations._LOCK_TIMEOUT", "10ms")
    owner = await owner_of(database)
    async with owner.transaction():
        await owner.execute("lock table events in access share mode")
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            await migrations.downgrade(database.owner, database.namespace)
    await owner.close()


async def test_text_sorts_by_bytes_wherever_the_database_was_made(database: Database) -> None:
    connection: asyncpg.Connection = await owner_of(database)
    collations = await connection.fetch(
        "select distinct collation_name from information_schema.columns "
        "where table_schema = current_schema() and data_type = 'text' "
        "and table_name <> 'alembic_version'"
    )
    await connection.close()
    assert [row["collation_name"] for row in collations] == ["C"]
