"""Rules that change while others write, upgrade as well, or kill."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Sequence

import pytest

from tests.handling.kinds import said
from tests.store.asking import appended, as_owner, asking, owner_of, soon
from tests.store.changing import BOTH, NAMED, PLAIN, Service, reading, tank
from tests.store.test_committer import locked_head
from treering.entity import Delete, Purge, Tag, Update
from treering.errors import StoreNotReady
from treering.handling import Handling
from treering.store import Store
from treering.testing.fixtures import Database


async def test_two_that_upgrade_at_once_do_it_once(service: Service) -> None:
    await service.do(PLAIN, *(tank(n, f"t{n}") for n in range(20)))
    changes = await asyncio.gather(*(service.upgrade(NAMED) for _ in range(3)))
    assert sorted(bool(change) for change in changes) == [False, False, True]
    assert await service.holds() == await service.should_hold(NAMED)


class Traffic:
    """Somebody who writes all the time, until the rules are no longer those he goes by."""

    def __init__(self, store: Store, writer: int) -> None:
        self._handling = Handling(store, PLAIN)
        self._writer = writer
        self.batches = 0

    async def run(self) -> None:
        """Make, rename, tag, delete and purge tanks and readings that break no rule."""
        while True:
            number = 1000 * self._writer + self.batches % 300
            life = self.batches // 300
            change = Update(fields={"name": f"t{number}-{life}"})
            batch = [
                tank(number, f"t{number}"),
                said(f"tank/{number}", change),
                said(f"tank/{number}", Tag(tags=["a"])),
                reading(self.batches + 10_000 * self._writer, str(self._writer)),
                said(f"tank/{number}", Delete() if number % 3 else Purge()),
            ]
            if number % 5:
                batch.pop()
            try:
                await self._handling.handle(batch)
            except StoreNotReady:
                return
            self.batches += 1


@pytest.fixture
async def traffic(database: Database) -> AsyncGenerator[Sequence[Traffic]]:
    """Return two that are ready to write, each in a process of its own as it were."""
    stores = [await Store.open(database.writer, namespace=database.namespace) for _ in range(2)]
    for each in stores:
        await each.begin()
        await each.obey(PLAIN.rulebook.words)
    yield [Traffic(store, number + 1) for number, store in enumerate(stores)]
    for each in stores:
        await each.close()


@pytest.mark.parametrize(("few", "rounds"), [(0, 3), (50, 20), (10**6, 20)])
async def test_rules_are_added_while_others_write(
    service: Service,
    traffic: Sequence[Traffic],
    monkeypatch: pytest.MonkeyPatch,
    few: int,
    rounds: int,
) -> None:
    monkeypatch.setattr("treering.store.backfill._FEW", few)
    monkeypatch.setattr("treering.store.backfill._ROUNDS", rounds)
    monkeypatch.setattr("treering.store.staging._STREAMS", 20)
    await service.do(PLAIN, tank(1), tank(2), *(tank(n, f"t{n}") for n in range(5000, 5300)))
    writing = [asyncio.create_task(each.run()) for each in traffic]

    async def has_begun() -> bool:
        return all(each.batches > 20 for each in traffic)

    await soon(has_begun)
    change = await service.upgrade(BOTH)
    async with asyncio.timeout(20):
        await asyncio.gather(*writing)
    assert change.streams > 300
    assert await service.holds() == await service.should_hold(BOTH)
    assert await service.do(BOTH, tank(9000, "t5000")) == ["key-taken"]


BLOCKED = """
select pid from pg_stat_activity
 where application_name = 'treering upgrade' and wait_event_type = 'Lock'
"""
LEFT = "select count(*) from pg_stat_activity where application_name = 'treering upgrade'"
UPGRADING = """
import asyncio, sys
from tests.store.changing import NAMED
from treering.store.backfill import upgrade_rules
asyncio.run(upgrade_rules(*sys.argv[1:], NAMED))
"""


async def test_an_upgrade_that_is_killed_has_changed_nothing(
    service: Service, store: Store
) -> None:
    await service.do(PLAIN, *(tank(n, f"t{n}") for n in range(20)))
    database = service.database
    watching = await owner_of(database)
    async with locked_head(database):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", UPGRADING, database.owner, database.namespace
        )
        await soon(lambda: watching.fetchval(BLOCKED), 30)
        process.kill()
        await process.wait()
    await appended(store, asking("other/1"))

    async def nobody_is_left() -> bool:
        return await watching.fetchval(LEFT) == 0

    await soon(nobody_is_left)
    await watching.close()
    assert (await service.holds())["unique_key"] == []
    assert await as_owner(database, "select rules from head") == ""
    assert await service.upgrade(NAMED)
    assert await service.holds() == await service.should_hold(NAMED)
