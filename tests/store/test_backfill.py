"""Rules that are added to, and taken from, a store that has data."""

import pytest

from tests.handling.kinds import said
from tests.store.asking import appended, as_owner, asking
from tests.store.changing import (
    BOTH,
    FREED,
    KEPT,
    NAMED,
    PLAIN,
    KeptReading,
    Service,
    Tank,
    reading,
    registry,
    tank,
)
from tests.store.test_migrations import tables
from treering.entity import Create, Delete, Entity, Purge
from treering.errors import (
    RulesBroken,
    StoreNotReady,
    StoreUnavailable,
)
from treering.handling import Handling
from treering.registry import Registry
from treering.store import Store
from treering.store.backfill import preview_rules
from treering.testing.fixtures import Database


async def test_what_is_stored_already_is_unique_from_then_on(service: Service) -> None:
    await service.do(PLAIN, *(tank(n, f"t{n}") for n in range(1200)), tank(2000))
    change = await service.upgrade(NAMED)
    assert (change.new, change.gone, change.streams) == (["tank unique name"], [], 1201)
    assert await service.holds() == await service.should_hold(NAMED)
    assert await service.do(NAMED, tank(3000, "t7"), tank(3001, "new")) == [
        "key-taken", "accepted",
    ]  # fmt: skip
    assert not await service.upgrade(NAMED)


async def test_a_reference_is_added_and_who_is_named_stays(service: Service) -> None:
    await service.do(PLAIN, *(tank(n) for n in range(3)))
    await service.do(PLAIN, *(reading(n, str(n % 2)) for n in range(50)), reading(99))
    await service.do(PLAIN, said("reading/3", Delete()), said("reading/4", Purge()))
    change = await service.upgrade(KEPT)
    assert change.new == ["reading references tank in tank"]
    assert await service.holds() == await service.should_hold(KEPT)
    ends = [said(f"tank/{n}", Delete()) for n in range(3)]
    assert await service.do(KEPT, *ends) == ["is-referred", "is-referred", "accepted"]


async def test_a_second_kind_that_names_the_same_is_added(service: Service) -> None:
    class Valve(Entity):
        tank: str | None = None

    class KeptValve(Entity, kind="valve", references={"tank": "tank"}):
        tank: str | None = None

    before, after = registry(Tank, KeptReading, Valve), registry(Tank, KeptReading, KeptValve)
    await service.upgrade(before)
    await service.do(before, tank(1), reading(1, "1"))
    await service.do(before, said("valve/1", Create(fields={"tank": "2"})))
    with pytest.raises(RulesBroken, match="valve/1: tank names tank/2"):
        await service.upgrade(after)
    await service.do(before, tank(2))
    assert (await service.upgrade(after)).streams == 1
    assert await service.holds() == await service.should_hold(after)


async def test_a_rule_that_is_gone_goes_with_what_it_held(service: Service) -> None:
    await service.upgrade(BOTH)
    await service.do(BOTH, tank(1, "a"), reading(1, "1"))
    change = await service.upgrade(NAMED)
    assert (change.new, change.gone) == ([], ["reading references tank in tank"])
    assert await service.holds() == {"unique_key": ['("tank.name=""a""",tank/1)'], "reference": []}
    await service.upgrade(PLAIN)
    assert await service.holds() == {"unique_key": [], "reference": []}
    assert await service.do(PLAIN, said("tank/1", Delete()), tank(2, "a")) == ["accepted"] * 2


async def test_a_kind_that_is_gone_takes_its_rules_with_it(service: Service) -> None:
    await service.upgrade(BOTH)
    await service.do(BOTH, tank(1, "a"), reading(1, "1"))
    change = await service.upgrade(Registry([]))
    assert change.streams == 0
    assert await service.holds() == {"unique_key": [], "reference": []}


async def test_a_rule_that_changes_is_worked_out_anew(service: Service) -> None:
    await service.upgrade(NAMED)
    await service.do(NAMED, tank(1, "a"), tank(2, "b"), said("tank/1", Delete()))
    change = await service.upgrade(FREED)
    assert change.new == ["tank unique name frees"]
    assert change.gone == ["tank unique name"]
    assert await service.do(FREED, tank(3, "a"), tank(4, "b")) == ["accepted", "key-taken"]


async def test_keys_of_before_rules_were_stored_are_taken_up(
    service: Service, store: Store
) -> None:
    await Handling(store, NAMED).handle([tank(1, "a")])
    await appended(store, asking("gone/1", taken=["gone.name=a"]))
    change = await service.upgrade(NAMED)
    assert change.new == ["tank unique name"]
    assert await service.holds() == await service.should_hold(NAMED)


async def test_a_preview_changes_nothing(service: Service) -> None:
    await service.do(PLAIN, tank(1, "a"))
    before = await tables(service.database)
    change = await service.preview(NAMED)
    assert (change.new, change.streams) == (["tank unique name"], 1)
    await service.do(PLAIN, tank(2, "a"))
    with pytest.raises(RulesBroken):
        await service.preview(NAMED)
    assert not await service.preview(PLAIN)
    after = await tables(service.database)
    for name in ("unique_key", "reference", "rule"):
        assert after[name] == before[name]


async def test_a_preview_of_what_is_not_there_lists_the_rules(database: Database) -> None:
    change = await preview_rules(database.owner, "nobody-made-this", NAMED)
    assert change.new == ["tank unique name"]


async def test_a_store_obeys_no_rules_but_its_own(service: Service, store: Store) -> None:
    await service.upgrade(NAMED)
    with pytest.raises(StoreNotReady) as raised:
        await store.obey(KEPT.rulebook.words)
    assert str(raised.value) == (
        f"The rules of {store.namespace!r} are not those that its store keeps: "
        "'reading references tank in tank' is new, 'tank unique name' is gone; "
        "run `treering db upgrade` with the release that is to decide."
    )
    await store.obey(NAMED.rulebook.words)


async def test_who_goes_by_other_rules_than_the_store_appends_nothing_more(
    service: Service, store: Store
) -> None:
    await store.obey(PLAIN.rulebook.words)
    handling = Handling(store, PLAIN)
    await handling.handle([tank(1, "a")])
    await service.upgrade(NAMED)
    for _ in range(2):
        with pytest.raises(StoreNotReady, match="'tank unique name' is gone"):
            await handling.handle([tank(2, "a"), tank(3, "b")])
    assert (await store.head()).position == 1
    await service.upgrade(PLAIN)
    (outcome,) = await handling.handle([tank(2, "a")])
    assert outcome.outcome == "accepted"
    assert (await store.invariant(full=True)).holds


async def test_rules_that_were_changed_and_changed_back_are_tried_again(
    store: Store, database: Database
) -> None:
    await store.obey(PLAIN.rulebook.words)
    await as_owner(database, "update head set rules = 'others'")
    with pytest.raises(StoreUnavailable, match="changed back"):
        await store.append(asking("tank/1"))
    await as_owner(database, "update head set rules = ''")
    assert (await appended(store, asking("tank/1"))).base == 0
