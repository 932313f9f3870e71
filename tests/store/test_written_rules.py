"""Rules of kinds that are written by hand: what is compared is their words."""

from dataclasses import replace

import pytest

from tests.handling.kinds import said
from tests.store.changing import PLAIN, KeptReading, Service, Tank, reading, tank
from treering.decider import Decider
from treering.entity import Delete
from treering.entity.rules import EntityState
from treering.errors import RulesBroken
from treering.registry import Registry


async def test_a_hand_written_rule_is_worked_out_anew_when_its_words_change(
    service: Service,
) -> None:
    def by(*letters: int) -> Registry:
        made = Tank.decider()
        return Registry([
            Decider(
                kind="tank",
                initial=made.initial,
                decide=made.decide,
                evolve=made.evolve,
                commands=made.commands,
                events=made.events,
                keys=lambda state: [f"tank.{state.fields['name'][:n]}" for n in letters]
                if state.status == "live"
                else [],
                rules=[f"unique {n} letters" for n in letters],
            )
        ])  # fmt: skip

    await service.do(PLAIN, tank(1, "rain"), tank(2, "ruin"))
    await service.upgrade(by(3))
    with pytest.raises(RulesBroken, match=r"tank\.r: tank/1, tank/2"):
        await service.upgrade(by(1))
    await service.upgrade(by(4))
    assert (await service.holds())["unique_key"] == ["(tank.rain,tank/1)", "(tank.ruin,tank/2)"]


async def test_who_is_there_by_other_words_is_worked_out_anew_with_all_who_name_them(
    service: Service,
) -> None:
    def by(least: int) -> Registry:
        def is_named(state: EntityState) -> bool:
            return len(state.fields.get("name") or "") >= least

        words = f"exists with {least} letters"
        full = replace(Tank.decider(), exists=is_named, rules=[words])
        return Registry([full, KeptReading.decider()])

    await service.upgrade(by(1))
    await service.do(by(1), tank(1, "rain"), tank(2, "a"), reading(1, "1"), reading(2, "2"))
    with pytest.raises(RulesBroken, match="reading/2: tank names tank/2, which is not there"):
        await service.upgrade(by(2))
    await service.do(by(1), said("reading/2", Delete()))
    change = await service.upgrade(by(2))
    assert (change.new, change.streams) == (["tank exists with 2 letters"], 4)
    assert await service.holds() == await service.should_hold(by(2))
