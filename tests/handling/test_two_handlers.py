"""Two handlers at the same moment: the append decides, and nothing is done twice."""

import asyncio
import re
from typing import Any

import pytest

from tests.handling.kinds import Deposit, Transfer, said
from tests.store.asking import owner_of, soon
from tests.store.test_committer import locked_head
from treering.entity import Create, Delete, Restore, Update
from treering.errors import StoreUnavailable
from treering.handling import Handling
from treering.message import Outcome, Received
from treering.store import Store
from treering.testing.fixtures import Database

WAITING = """
with recursive waiting as (
    select pid from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))
    union
    select a.pid from pg_stat_activity a, waiting where waiting.pid = any(pg_blocking_pids(a.pid))
) select count(*) from waiting
"""


async def at_once(
    database: Database, first: Handling, second: Handling, received: Received[Any]
) -> list[Outcome]:
    """Let both decide *received* before either may append."""
    async with locked_head(database) as owner:
        running = [asyncio.create_task(each.handle([received])) for each in (first, second)]

        async def both_wait() -> bool:
            return await owner.fetchval(WAITING) == 2

        await soon(both_wait)
    return [outcome for outcomes in await asyncio.gather(*running) for outcome in outcomes]


@pytest.mark.parametrize(
    "received",
    [
        said("dataset/1", Create(fields={"name": "rain"})),
        said("dataset/2", Create(fields={"name": "snow"}), fresh=True),
        said("dataset/9", Update(fields={"rows": 7})),
        said("account/a", Deposit(amount=0)),
        said("account/a", Deposit(amount=5)),
        said("account/a", Transfer(to="account/b", amount=3)),
    ],
    ids=lambda received: f"{type(received.command).__name__} {received.stream}",
)
async def test_one_command_has_one_verdict(
    handling: Handling, other: Handling, store: Store, database: Database, received: Received[Any]
) -> None:
    await handling.handle([said("account/a", Deposit(amount=5))])
    first, second = await at_once(database, handling, other, received)
    assert first == second
    made = [event for event in await store.read(0) if event.causation == received.id]
    assert [event.position for event in made] == _all(first)


async def test_without_the_verdict_check_in_the_append_it_would_be_done_twice(
    handling: Handling, other: Handling, store: Store, database: Database
) -> None:
    await _cut_the_verdict_check(database)
    deposit = said("account/a", Deposit(amount=5))
    await at_once(database, handling, other, deposit)
    assert [event.causation for event in await store.read(0)] == [deposit.id] * 2


async def test_a_stale_state_never_decides(handling: Handling, other: Handling) -> None:
    await handling.handle([said("account/a", Deposit(amount=5))])
    await other.handle([said("account/a", Deposit(amount=5))])
    (outcome,) = await handling.handle([said("account/a", Transfer(to="account/b", amount=8))])
    assert (outcome.outcome, outcome.entity) == ("accepted", {"id": "account/a", "amount": 2})


async def test_a_stale_state_never_says_that_there_is_nothing_to_do(
    handling: Handling, other: Handling
) -> None:
    await handling.handle([said("dataset/1", Create(fields={"name": "rain"}))])
    await other.handle([said("dataset/1", Delete())])
    (outcome,) = await handling.handle([said("dataset/1", Restore())])
    assert outcome.outcome == "accepted"


async def test_a_stale_state_of_another_stream_never_decides(
    handling: Handling, other: Handling
) -> None:
    await handling.handle([said("account/a", Deposit(amount=5))])
    await handling.handle([said("account/a", Transfer(to="account/b", amount=5))])
    await other.handle([said("account/b", Transfer(to="account/a", amount=5))])
    (outcome,) = await handling.handle([said("account/a", Transfer(to="account/b", amount=5))])
    assert outcome.outcome == "accepted"


async def test_a_new_stream_that_exists_already_is_looked_at(
    handling: Handling, other: Handling
) -> None:
    await other.handle([said("dataset/1", Create(fields={"name": "rain"}))])
    made_up = said("dataset/1", Create(fields={"name": "snow"}), fresh=True)
    (outcome,) = await handling.handle([made_up])
    assert outcome.problem is not None
    assert outcome.problem["type"] == "urn:treering:error:already-exists"


async def test_a_batch_whose_connection_was_killed_is_handled_again_once(
    handling: Handling, store: Store, database: Database
) -> None:
    batch = [
        said("account/a", Deposit(amount=5)),
        said("account/a", Transfer(to="account/b", amount=3)),
        said("account/b", Transfer(to="account/a", amount=9)),
        said("dataset/1", Create(fields={"name": "rain"}), fresh=True),
    ]
    async with locked_head(database) as owner:
        running = asyncio.create_task(handling.handle(batch))
        pids = (
            "select pid from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))"
        )
        await soon(lambda: owner.fetchval(pids))
        await owner.fetchval("select pg_terminate_backend($1)", await owner.fetchval(pids))
        with pytest.raises(StoreUnavailable):
            await running
    first = await handling.handle(batch)
    assert [each.outcome for each in first] == ["accepted", "accepted", "refused", "accepted"]
    assert await handling.handle(batch) == first
    assert (await store.head()).position == 4
    assert (await store.invariant(full=True)).holds


def _all(outcome: Outcome) -> list[int]:
    if outcome.positions is None:
        return []
    first, last = outcome.positions
    return [*range(first, last + 1)]


async def _cut_the_verdict_check(database: Database) -> None:
    """Replace the append by one that does not look whether a command has its verdict."""
    owner = await owner_of(database)
    text = await owner.fetchval("select pg_get_functiondef('append'::regproc)")
    cut, count = re.subn("join verdict on verdict.id", "join verdict on false and verdict.id", text)
    kept, more = re.subn(
        r"(as v \(id, tenant, fingerprint, outcome[^;]*\));", r"\1 on conflict do nothing;", cut
    )
    assert (count, more) == (1, 1)
    await owner.execute(kept)
    await owner.close()
