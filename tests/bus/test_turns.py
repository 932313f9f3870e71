"""What keeps one handler's turn apart from the next one's."""

import asyncio

from treering.bus.turns import Turns


class Commits:
    """Counts."""

    def __init__(self) -> None:
        self.made = 0

    async def commit(self) -> None:
        self.made += 1


async def test_a_rebalance_waits_for_the_batch_in_hand() -> None:
    commits = Commits()
    turns = Turns(10, commits.commit)
    turns.begin()
    waiting = asyncio.create_task(turns.on_partitions_revoked([]))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert commits.made == 0
    turns.end()
    await waiting
    assert commits.made == 1
    assert turns.assignment == 0


async def test_a_batch_that_outlasts_the_rebalance_sees_that_its_assignment_is_gone() -> None:
    commits = Commits()
    turns = Turns(0.01, commits.commit)
    turns.begin()
    before = turns.assignment
    await turns.on_partitions_revoked([])
    assert turns.assignment != before
    assert commits.made == 0


async def test_a_new_assignment_is_another_one() -> None:
    turns = Turns(10, Commits().commit)
    before = turns.assignment
    await turns.on_partitions_assigned([])
    assert turns.assignment != before
