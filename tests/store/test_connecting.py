"""What the driver says, in our words: who is to blame decides whether another try is worth it."""

import asyncpg
import pytest

from tests.store.asking import as_owner
from treering.errors import BadRequest, StoreError, StoreNotReady, StoreUnavailable
from treering.store.connecting import translated, url_for
from treering.testing.fixtures import Database

SAME = "insert into unique_key values ('secret', 'dataset/1'), ('secret', 'dataset/2')"


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (asyncpg.CharacterNotInRepertoireError("x"), BadRequest),
        (asyncpg.ProgramLimitExceededError("x"), BadRequest),
        (asyncpg.UniqueViolationError("x"), BadRequest),
        (asyncpg.RaiseError("x"), BadRequest),
        (asyncpg.InvalidPasswordError("x"), StoreNotReady),
        (asyncpg.InvalidCatalogNameError("x"), StoreNotReady),
        (asyncpg.UndefinedTableError("x"), StoreNotReady),
        (asyncpg.UndefinedFunctionError("x"), StoreNotReady),
        (asyncpg.InvalidSchemaNameError("x"), StoreNotReady),
        (asyncpg.InsufficientPrivilegeError("x"), StoreNotReady),
        (asyncpg.DiskFullError("x"), StoreUnavailable),
        (asyncpg.ReadOnlySQLTransactionError("x"), StoreUnavailable),
        (asyncpg.AdminShutdownError("x"), StoreUnavailable),
        (asyncpg.CannotConnectNowError("x"), StoreUnavailable),
        (asyncpg.TooManyConnectionsError("x"), StoreUnavailable),
        (asyncpg.DeadlockDetectedError("x"), StoreUnavailable),
        (asyncpg.InternalServerError("x"), StoreUnavailable),
        (asyncpg.PostgresError("x"), StoreUnavailable),
        (asyncpg.InterfaceError("x"), StoreUnavailable),
        (ConnectionResetError("x"), StoreUnavailable),
        (TimeoutError(), StoreUnavailable),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_error_is_named_by_whom_it_blames(error: Exception, named: type[StoreError]) -> None:
    with pytest.raises(named) as found, translated():
        raise error
    assert type(found.value) is named
    assert found.value.__cause__ is error


async def test_what_a_sender_may_see_holds_no_values_of_other_rows(database: Database) -> None:
    with pytest.raises(BadRequest) as found, translated():
        await as_owner(database, SAME)
    assert str(found.value) == (
        "PostgreSQL refuses it: duplicate key value violates unique constraint "
        '"unique_key_pkey" (SQLSTATE 23505).'
    )


def test_what_is_no_error_of_the_database_passes() -> None:
    with pytest.raises(KeyError), translated():
        raise KeyError


@pytest.mark.parametrize(
    ("url", "changed"),
    [
        ("postgresql://a:secret@db:1/x", "postgresql://b@db:1/x"),
        ("postgresql://db/x", "postgresql://b@db/x"),
        ("postgresql://a@/x?host=/run", "postgresql://b@/x?host=/run"),
    ],
)
def test_a_url_is_turned_to_another_user(url: str, changed: str) -> None:
    assert url_for(url, "b") == changed
