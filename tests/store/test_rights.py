"""Who may do what: the reader reads, the writer appends, and events stay for everyone."""

from collections.abc import Sequence

import asyncpg
import pytest

from tests.store.asking import appended, as_owner, asking
from treering.errors import StoreNotReady
from treering.store import Reader, Request, Stand, Store, migrations
from treering.testing.fixtures import Database

TABLES = (
    "head", "events", "stream", "verdict", "verdict_rest", "unique_key", "reference", "rule",
    "parked",
)  # fmt: skip
WRITES = [
    *(f"insert into {table} select * from {table}" for table in TABLES),  # noqa: S608 - ours
    *(f"delete from {table}" for table in TABLES),  # noqa: S608 - ours
    *(f"truncate {table}" for table in TABLES),
    "update head set position = 0",
    "update events set body = ''",
    "update stream set version = 0",
    "update verdict set outcome = 'n'",
    "update unique_key set stream = ''",
    "update reference set child = ''",
    "update rule set rule = ''",
    "alter table events disable trigger all",
    "drop table events",
    "drop function append",
]
CHANGES = [
    "update events set body = '{}'",
    "update events set position = position + 1, body = ''",
    "update events set type = 'x'",
    "delete from events",
    "truncate events",
]
CALLS = [
    "create table mine (x int)",
    "create table public.mine (x int)",
    "select make_verdict_days()",
    "select move_horizon('1 day')",
    "select drop_verdicts('1 day')",
    "select append({})".format(", ".join(["null"] * 44)),
]


BESIDES = [
    "create temp table mine (x int)",
    "create temp view mine as select 1",
    "select 1 into temp mine",
    "create schema mine",
    "create view mine as select 1",
    "create function mine() returns int language sql return 1",
    "create role mine",
    "create database mine",
    "create publication mine",
    "comment on table events is 'mine'",
    "do $$ begin lock table events in share mode; end $$",
    "select position from head for update",
    "select lo_create(0)",
    "select lo_creat(-1)",
    "select lo_from_bytea(0, 'x')",
    "select lo_put(1, 0, 'x')",
    "select lo_unlink(1)",
    "select lo_import('/etc/hostname')",
    "copy (select 1) to '/tmp/mine'",
    "copy (select 1) to program 'true'",
    "copy head from stdin",
    "select pg_read_file('postgresql.conf')",
    "select pg_switch_wal()",
    "alter system set fsync = off",
    "alter role treering_reader superuser",
    "set session authorization treering_writer",
    "set role treering_writer",
    "set role postgres",
    "set role pg_write_all_data",
    "do $$ begin insert into events select * from events; end $$",
    "with gone as (delete from events returning 1) select * from gone",
    "explain analyze delete from events",
    "select park('t', 0, 0, now(), 'c', 't', 1, null, null, null, null)",
    "select unpark('t', 0, 0, now())",
    "set default_transaction_read_only = off; delete from events",
]
"""What else might change something; who is not refused the one half is refused the other."""


async def _allowed(pool: asyncpg.Pool, statements: Sequence[str]) -> list[str]:
    """Return those of *statements* that this user may run."""
    allowed: list[str] = []
    for sql in statements:
        try:
            await pool.execute(sql)
            allowed.append(sql)
        except asyncpg.InsufficientPrivilegeError:
            continue
    return allowed


async def test_the_reader_cannot_write(reader: Reader) -> None:
    assert await _allowed(reader.pool, [*WRITES, *CALLS]) == []


async def test_the_reader_can_do_nothing_else_that_stays(
    reader: Reader, database: Database
) -> None:
    assert await _allowed(reader.pool, BESIDES) == []
    assert await migrations.excess(database.owner, "treering_reader") == []
    left = await migrations.excess(database.owner, "treering_writer")
    assert left == ["make large objects", "make temporary tables"]


async def test_the_writer_cannot_write_past_the_append(store: Store) -> None:
    assert await _allowed(store.pool, WRITES) == []


async def test_the_reader_cannot_be_opened_to_append(database: Database) -> None:
    opened = await Store.open(database.reader, namespace=database.namespace)
    with pytest.raises(StoreNotReady, match="lacks a right"):
        async with opened:
            pass


async def test_the_reader_may_read_listen_and_explain(reader: Reader, database: Database) -> None:
    for table in TABLES:
        await reader.pool.execute(f"explain analyze select * from {table}")  # noqa: S608 - ours
    connection = await asyncpg.connect(database.reader)
    await connection.execute("listen anything")
    await connection.close()


async def test_the_writer_builds_read_models_that_the_reader_sees(
    store: Store, reader: Reader, database: Database
) -> None:
    models = f"{database.namespace.replace('-', '_')}_read"
    await store.pool.execute(f"create table {models}.mine (x int)")
    await store.pool.execute("insert into mine values (1)")
    assert await reader.fetch("select x from mine")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.pool.execute("delete from mine")


async def test_temporary_tables_do_not_get_between_the_append_and_its_own(
    store: Store, database: Database
) -> None:
    connection = await asyncpg.connect(
        database.writer, server_settings={"search_path": database.namespace.replace("-", "_")}
    )
    await connection.execute("create temp table head (horizon timestamptz)")
    for call in CALLS[2:5]:
        await connection.execute(call)
    await connection.close()
    await appended(store, asking("dataset/1"))


async def test_not_even_the_owner_changes_events(store: Store, database: Database) -> None:
    await appended(store, asking("dataset/1", count=2))
    for sql in CHANGES:
        with pytest.raises(asyncpg.RaiseError, match="never changed nor deleted"):
            await as_owner(database, sql)
    assert [event.body for event in await store.read(0)] == ['{"rows":1}'] * 2


async def test_emptying_a_body_changes_nothing_else(store: Store, database: Database) -> None:
    await appended(store, asking("dataset/1"))
    (before,) = await store.read(0)
    await as_owner(database, "update events set body = '', type = 'other', actor = 'nobody'")
    (after,) = await store.read(0)
    assert (after.body, after.type, after.actor) == ("", before.type, before.actor)


async def test_a_purge_empties_what_was_before_it_and_nothing_else(store: Store) -> None:
    await appended(store, asking("dataset/1", count=3))
    await appended(store, asking("dataset/2"))
    before = {event.position: event for event in await store.read(0)}
    purge = asking("dataset/1", 3, body="{}")
    await appended(
        store,
        Request(
            stands=purge.stands,
            entries=purge.entries,
            rulings=purge.rulings,
            erased=[Stand("dataset/1", 4, 0)],
        ),
    )
    after = await store.read(0)
    assert [event.body for event in after] == ["", "", "", '{"rows":1}', "{}"]
    for event in after[:4]:
        same = before[event.position]
        assert (event.id, event.type, event.time) == (same.id, same.type, same.time)
        assert event.recorded_at == same.recorded_at
