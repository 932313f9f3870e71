"""What keeps one handler's turn apart from the next one's."""

import asyncio

from treering.bus.turns import Turns


async def test_a_rebalance_waits_for_the_batch_in_hand() -> None:
    turns = Turns(10)
    turns.begin()
    waiting = asyncio.create_task(turns.on_partitions_revoked([]))
    await asyncio.sleep(0)
    assert not waiting.done()
    turns.end()
    await waiting
    assert turns.assignment == 0


async def test_a_batch_that_outlasts_the_rebalance_sees_that_its_assignment_is_gone() -> None:
    turns = Turns(0.01)
    turns.begin()
    before = turns.assignment
    await turns.on_partitions_revoked([])
    assert turns.assignment != before


async def test_a_new_assignment_is_another_one() -> None:
    turns = Turns(10)
    before = turns.assignment
    await turns.on_partitions_assigned([])
    assert turns.assignment != before
