"""The store's shape: up, down, and up again."""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from tests.store.asking import appended, as_owner, asking, owner_of
from treering.errors import StoreNotReady, StoreUnavailable
from treering.sql import REVISION, statement
from treering.store import Reader, Store, migrations
from treering.store.revisions import revisions
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


async def test_the_newest_revision_is_the_one_that_this_release_needs() -> None:
    assert [each.name for each in revisions()] == ["0001", "0002", "0003", "0004"]
    assert revisions()[-1].name == REVISION


async def test_each_step_goes_down_and_up_again_with_all_that_is_stored(
    database: Database, store: Store
) -> None:
    owner, namespace = database.owner, database.namespace
    users = {"writer": "treering_writer", "reader": "treering_reader"}
    await appended(store, asking("tank/1", taken=["tank/1", "tank.name=a"]))
    await appended(store, asking("reading/1", made=["tank/1"]))
    await store.close()
    before = await tables(database)
    shape = await shape_of(database)
    for revision in revisions()[:0:-1]:
        below = revisions()[revisions().index(revision) - 1].name
        assert await migrations.downgrade(owner, namespace, to=below, **users) == below
        async with await old_store(database) as old:
            with pytest.raises(StoreNotReady, match=f"at revision {below}.*db upgrade"):
                await old.check()
        assert await migrations.upgrade(owner, namespace, **users) == REVISION
    assert await shape_of(database) == shape
    after = await tables(database)
    assert {name: rows for name, rows in after.items() if name not in LOST} == {
        name: rows for name, rows in before.items() if name not in LOST
    }
    assert after["unique_key"] == ["(tank.name=a,tank/1)"]
    async with await Store.open(database.writer, namespace=namespace) as again:
        assert (await appended(again, asking("tank/1", 1))).base == 2


async def test_the_append_of_an_older_revision_works_after_the_way_back(
    database: Database,
) -> None:
    users = {"writer": "treering_writer", "reader": "treering_reader"}
    await migrations.downgrade(database.owner, database.namespace, to="0001", **users)
    nothing = ", ".join(["null"] * 34)
    connection = await asyncpg.connect(
        database.writer, server_settings={"search_path": database.namespace.replace("-", "_")}
    )
    row = await connection.fetchrow(f"select base, trouble from append({nothing})")  # noqa: S608
    await connection.close()
    assert row is not None
    assert (row["base"], row["trouble"]) == (0, None)


@pytest.mark.parametrize("work", [migrations.upgrade, migrations.downgrade, migrations.pending])
async def test_a_store_of_a_newer_release_is_left_alone(
    database: Database, work: Callable[..., Awaitable[object]]
) -> None:
    await as_owner(database, "update alembic_version set version_num = '9999'")
    with pytest.raises(StoreNotReady, match="older than the store; run the newer one"):
        await work(database.owner, database.namespace)


async def test_a_revision_that_is_not_there_is_named(database: Database) -> None:
    with pytest.raises(
        StoreNotReady, match="no revision '7'; there are base, 0001, 0002, 0003, 0004"
    ):
        await migrations.upgrade(database.owner, database.namespace, to="7")


async def test_what_is_pending_is_told_with_its_sql(database: Database) -> None:
    assert await migrations.pending(database.owner, database.namespace) == []
    first, second, *_ = await migrations.pending(database.owner, "nobody-made-this")
    assert "create table events" in first.sql
    assert "create table reference" in second.sql


async def test_going_up_again_changes_nothing(database: Database, store: Store) -> None:
    await appended(store, asking("dataset/1"))
    names = {"writer": "treering_writer", "reader": "treering_reader"}
    assert await migrations.upgrade(database.owner, database.namespace, **names) == REVISION
    assert (await store.head()).position == 1
    await appended(store, asking("dataset/2"))


async def test_who_migrates_another_service_is_not_waited_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treering.store.migrations._LOCK_TIMEOUT", "300ms")
    owner, namespace = database.owner, database.namespace
    connection = await owner_of(database)
    await connection.execute(statement("lock"), "migrations of another-service")
    assert await migrations.upgrade(owner, namespace) == REVISION
    await connection.execute(statement("lock"), f"migrations of {namespace}")
    with pytest.raises(StoreUnavailable, match=r"Somebody else migrates 't-.*within 300ms; try"):
        await migrations.upgrade(owner, namespace)
    await connection.close()


async def test_a_database_without_a_store_has_no_revision(database: Database) -> None:
    assert await migrations.current(database.owner, "nobody-made-this") is None
    await as_owner(database, "drop table alembic_version")
    assert await migrations.current(database.owner, database.namespace) is None
    with pytest.raises(StoreNotReady, match="no store"):
        await migrations.downgrade(database.owner, database.namespace)


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


LOST = ("reference", "rule", "unique_key", "parked", "alembic_version", "head")


async def old_store(database: Database) -> Reader:
    """Return a reader of a store whose shape nobody has checked."""
    pool = await asyncpg.create_pool(
        database.reader,
        min_size=1,
        server_settings={"search_path": database.namespace.replace("-", "_")},
    )
    return Reader(database.reader, database.namespace, pool)


async def tables(database: Database) -> dict[str, list[str]]:
    """Return all rows of all tables."""
    owner = await owner_of(database)
    names = await owner.fetch(
        "select relname from pg_class where relkind in ('r', 'p') and not relispartition "
        "and relnamespace = current_schema()::regnamespace"
    )
    found: dict[str, list[str]] = {}
    for (name,) in names:
        rows = await owner.fetch(f"select t::text from {name} as t order by 1")  # noqa: S608 - ours
        found[name] = [row[0] for row in rows]
    await owner.close()
    return found


async def shape_of(database: Database) -> list[str]:
    """Return all columns, indexes, functions and rights."""
    owner = await owner_of(database)
    rows = await owner.fetch(SHAPE)
    await owner.close()
    return [row[0] for row in rows]


async def test_text_sorts_by_bytes_wherever_the_database_was_made(database: Database) -> None:
    connection: asyncpg.Connection = await owner_of(database)
    collations = await connection.fetch(
        "select distinct collation_name from information_schema.columns "
        "where table_schema = current_schema() and data_type = 'text' "
        "and table_name <> 'alembic_version'"
    )
    await connection.close()
    assert [row["collation_name"] for row in collations] == ["C"]


SHAPE = """
select format('%s.%s %s', table_name, column_name, data_type) as line
  from information_schema.columns where table_schema = current_schema()
union all
select indexdef from pg_indexes where schemaname = current_schema()
union all
select format('%s %s', oid::regprocedure, proacl) from pg_proc
 where pronamespace = current_schema()::regnamespace
union all
select format('%s %s', relname, relacl) from pg_class
 where relkind in ('r', 'p') and relnamespace = current_schema()::regnamespace
 order by line
"""
