"""Rows that many ask for at once."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from treering.errors import BadRequest, StoreUnavailable
from treering.reading.together import Together


class Rows:
    """Finds each id but those that begin with "no", once it is let to."""

    def __init__(self) -> None:
        self.asked: list[set[str]] = []
        self.let = asyncio.Event()

    async def find(self, ids: Sequence[str]) -> Mapping[str, str]:
        self.asked.append(set(ids))
        await self.let.wait()
        if "away" in ids:
            raise StoreUnavailable("gone")
        if "bad" in ids:
            raise BadRequest("no such id can be")
        return {each: each.upper() for each in ids if not each.startswith("no")}


async def test_one_that_asks_alone_is_answered_alone() -> None:
    rows = Rows()
    rows.let.set()
    together = Together(rows.find)

    assert [await together.get("a"), await together.get("nobody")] == ["A", None]
    assert rows.asked == [{"a"}, {"nobody"}]


async def test_those_that_ask_meanwhile_are_answered_together() -> None:
    rows = Rows()
    together = Together(rows.find)
    wanted = [*"abcdc", "nobody"]
    asking = asyncio.gather(*(together.get(each) for each in wanted))
    await asyncio.sleep(0)
    rows.let.set()

    assert await asking == [*"ABCDC", None]
    assert rows.asked == [{"a"}, {"b"}, {"c", "d", "nobody"}]


async def test_a_statement_has_no_more_ids_than_it_may() -> None:
    rows = Rows()
    together = Together(rows.find)
    wanted = [f"a{number}" for number in range(250)]
    asking = asyncio.gather(*(together.get(each) for each in wanted))
    await asyncio.sleep(0)
    rows.let.set()

    assert await asking == [each.upper() for each in wanted]
    assert max(map(len, rows.asked)) == 100


async def test_an_id_that_can_not_be_spoils_no_other() -> None:
    rows = Rows()
    together = Together(rows.find)
    wanted = ["a", "b", "c", "bad", "d"]
    asking = asyncio.gather(*(together.get(each) for each in wanted), return_exceptions=True)
    await asyncio.sleep(0)
    rows.let.set()
    *found, bad, last = await asking

    assert (found, last) == (["A", "B", "C"], "D")
    assert isinstance(bad, BadRequest)


async def test_whoever_gives_up_takes_nothing_from_the_others() -> None:
    rows = Rows()
    together = Together(rows.find)
    first, second, third, fourth = (asyncio.create_task(together.get(each)) for each in "abcd")
    await asyncio.sleep(0)
    first.cancel()
    third.cancel()
    await asyncio.sleep(0)
    rows.let.set()

    assert await asyncio.gather(second, fourth) == ["B", "D"]


async def test_all_hear_that_the_database_is_away() -> None:
    rows = Rows()
    together = Together(rows.find)
    wanted = ["a", "b", "away", "d"]
    asking = asyncio.gather(*(together.get(each) for each in wanted), return_exceptions=True)
    await asyncio.sleep(0)
    rows.let.set()
    *found, away, also = await asking

    assert found == ["A", "B"]
    assert isinstance(away, StoreUnavailable)
    assert isinstance(also, StoreUnavailable)
    with pytest.raises(StoreUnavailable):
        await together.get("away")
    assert await together.get("d") == "D"
