"""Rules that what is stored breaks, and streams that can not be read: nothing is changed."""

from typing import Any

import pytest

from tests.handling.kinds import said
from tests.store.asking import appended, asking
from tests.store.changing import (
    KEPT,
    NAMED,
    PLAIN,
    KeptReading,
    Reading,
    Service,
    Tank,
    reading,
    registry,
    tank,
)
from tests.store.test_migrations import tables
from treering.entity import Create, Delete, Entity, Purge, Update
from treering.entity.messages import Fields
from treering.errors import (
    RulesBroken,
    UnknownMessage,
    UpcastFailed,
)
from treering.store import Store
from treering.store.staging import Staging


async def test_what_breaks_a_rule_is_listed_and_nothing_is_changed(service: Service) -> None:
    await service.do(PLAIN, *(tank(n, f"t{n % 30}") for n in range(120)))
    before = await tables(service.database)
    with pytest.raises(RulesBroken) as raised:
        await service.upgrade(NAMED)
    lines = str(raised.value).splitlines()
    assert lines[0].startswith(
        "Nothing was changed, for what is stored breaks new rules in 30 places;"
    )
    assert lines[1] == '  tank.name="t0": tank/0, tank/30, tank/60 and 1 more'
    assert len(lines) == 22
    assert lines[-1] == "  and 10 more"
    assert await tables(service.database) == before
    await service.do(PLAIN, *(said(f"tank/{n}", Purge()) for n in range(30, 120)))
    assert await service.upgrade(NAMED)
    assert await service.holds() == await service.should_hold(NAMED)


async def test_what_names_nobody_is_listed(service: Service) -> None:
    await service.do(PLAIN, tank(1), tank(2), said("tank/2", Delete()))
    await service.do(PLAIN, reading(1, "1"), reading(2, "2"), reading(3, "3"))
    with pytest.raises(RulesBroken, match="in 2 places") as raised:
        await service.upgrade(KEPT)
    assert raised.value.examples == [
        "reading/2: tank names tank/2, which is not there",
        "reading/3: tank names tank/3, which is not there",
    ]
    assert (await service.holds())["reference"] == []


async def test_a_name_that_is_too_long_for_an_index_is_listed(service: Service) -> None:
    await service.do(PLAIN, reading(1, "".join(f"{n:x}" for n in range(3000))))
    with pytest.raises(RulesBroken, match=r"reading/1: tank names tank/0123456789abc.*…, which is"):
        await service.upgrade(KEPT)


async def test_who_is_named_and_goes_at_the_last_moment_is_missed(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Valve(Entity):
        tank: str | None = None

    class KeptValve(Entity, kind="valve", references={"tank": "tank"}):
        tank: str | None = None

    before, after = registry(Tank, KeptReading, Valve), registry(Tank, KeptReading, KeptValve)
    await service.upgrade(before)
    await service.do(before, tank(1), tank(2))
    await service.do(before, *(said(f"valve/{n}", Create(fields={"tank": n})) for n in "12"))
    begin = Staging.begin_to_write

    async def begin_and_lose_one(staging: Staging) -> None:
        await begin(staging)
        assert await service.do(before, said("tank/2", Delete())) == ["accepted"]

    monkeypatch.setattr("treering.store.backfill._FEW", 0)
    monkeypatch.setattr(Staging, "begin_to_write", begin_and_lose_one)
    with pytest.raises(RulesBroken, match="valve/2: tank names tank/2"):
        await service.upgrade(after)
    assert await service.holds() == await service.should_hold(before)


async def test_a_body_that_can_not_be_read_is_named_with_its_stream(
    service: Service, store: Store
) -> None:
    class OtherTank(Entity, kind="tank", unique={"label"}, version=2):
        label: str | None = None

    @OtherTank.upcast(1)
    def from_1(fields: Fields) -> Fields:
        return {"label": fields["name"].upper()}

    await service.do(PLAIN, tank(1, "a"), tank(2))
    with pytest.raises(UpcastFailed, match="Position 2, of tank/2: A body of tank"):
        await service.upgrade(registry(OtherTank, Reading))
    assert (await store.head()).position == 2


async def test_an_event_that_is_not_known_is_named_and_nothing_is_changed(
    service: Service, store: Store
) -> None:
    await appended(store, asking("tank/1"))
    with pytest.raises(UnknownMessage, match="older than the log"):
        await service.upgrade(NAMED)
    assert await service.holds() == {"unique_key": [], "reference": []}


async def test_what_was_mended_while_it_was_looked_for_breaks_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.do(PLAIN, tank(1), reading(1, "2"))
    require = Staging.require_unbroken
    looks: list[int] = []

    async def require_and_mend(staging: Staging, *streams: Any) -> None:
        looks.append(1)
        try:
            await require(staging, *streams)
        finally:
            if len(looks) == 1:
                await service.do(PLAIN, said("reading/1", Update(fields={"tank": "1"})))

    monkeypatch.setattr(Staging, "require_unbroken", require_and_mend)
    assert await service.upgrade(KEPT)
    assert len(looks) == 3
    assert await service.holds() == await service.should_hold(KEPT)
