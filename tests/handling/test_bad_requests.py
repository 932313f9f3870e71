"""What PostgreSQL cannot take is refused alone, and never fails its neighbours."""

import secrets

import pytest

from tests.handling.kinds import Deposit, Transfer, said
from tests.handling.test_outcomes import one
from treering.entity import Create, Purge, Update
from treering.errors import BadRequest
from treering.handling import Handling
from treering.message import Outcome
from treering.store import Store

ENDLESS = f"account/{secrets.token_hex(10_000)}"
"""A stream that no index can take."""


def words(found: list[Outcome]) -> list[str]:
    """Return what became of each command: how it ended, or why not."""
    return [
        each.problem["type"].rpartition(":")[2] if each.problem else each.outcome for each in found
    ]


async def test_what_cannot_be_stored_is_refused_and_stays_so(
    handling: Handling, store: Store
) -> None:
    bad = said(ENDLESS, Deposit(amount=1))
    found = await handling.handle(
        [said("account/a", Deposit(amount=1)), bad, said("account/b", Deposit(amount=1))]
    )
    assert words(found) == ["accepted", "unstorable", "accepted"]
    assert await one(handling, bad) == found[1]
    assert (await store.head()).position == 2


async def test_those_who_share_a_stream_with_it_are_decided_in_order(handling: Handling) -> None:
    found = await handling.handle(
        [
            said("account/a", Deposit(amount=5)),
            said("account/a", Transfer(to=ENDLESS, amount=4)),
            said("account/a", Transfer(to="account/b", amount=4)),
            said("account/b", Transfer(to="account/c", amount=4)),
            said("account/a", Transfer(to="account/c", amount=4)),
        ]
    )
    assert words(found) == ["accepted", "unstorable", "accepted", "accepted", "overdrawn"]


async def test_two_bad_ones_are_both_found(handling: Handling) -> None:
    found = await handling.handle(
        [
            said("account/a", Deposit(amount=9)),
            said("account/a", Transfer(to=ENDLESS, amount=1)),
            said("account/a", Transfer(to=ENDLESS[:-1], amount=1)),
            said("account/a", Transfer(to="account/b", amount=9)),
        ]
    )
    assert words(found) == ["accepted", "unstorable", "unstorable", "accepted"]


async def test_a_purge_empties_bodies_in_the_same_call(handling: Handling, store: Store) -> None:
    await handling.handle(
        [
            said("dataset/1", Create(fields={"name": "rain"})),
            said("dataset/2", Create(fields={"name": "snow"})),
        ]
    )
    found = await handling.handle(
        [said("dataset/1", Update(fields={"rows": 3})), said("dataset/1", Purge())]
    )
    assert words(found) == ["accepted", "accepted"]
    events = await store.read_stream("dataset/1")
    assert [(event.type, event.body) for event in events] == [
        ("dataset.created.v1", ""),
        ("dataset.updated.v1", ""),
        ("dataset.purged.v1", "{}"),
    ]
    assert all(event.id and event.time for event in events)
    (kept,) = await store.read_stream("dataset/2")
    assert kept.body


async def test_a_purged_entity_is_gone_for_those_who_fold_it_anew(
    handling: Handling, other: Handling
) -> None:
    await one(handling, said("dataset/1", Create(fields={"name": "rain"})))
    await one(handling, said("dataset/1", Purge()))
    again = [said("dataset/1", Create(fields={"name": "rain"})), said("dataset/1", Purge())]
    assert words(await other.handle(again)) == ["is-purged", "is-purged"]


async def test_an_outcome_from_before_a_purge_shows_no_entity_any_more(
    handling: Handling,
) -> None:
    create = said("dataset/1", Create(fields={"name": "rain"}))
    first = await one(handling, create)
    await one(handling, said("dataset/1", Purge()))
    again = await one(handling, create)
    assert (again.outcome, again.version, again.positions) == ("accepted", 1, first.positions)
    assert (first.entity is None, again.entity) == (False, None)


async def test_whole_numbers_have_their_64_bits(handling: Handling, other: Handling) -> None:
    for number, (rows, word) in enumerate(
        [(2**63 - 1, "accepted"), (-(2**63), "accepted"), (2**63, "validation-failed"),
         (2**70, "validation-failed")]
    ):  # fmt: skip
        create = said(f"dataset/{number}", Create(fields={"name": str(number), "rows": rows}))
        found = await one(handling, create)
        assert words([found]) == [word]
        assert await one(other, create) == found


async def test_a_command_that_cannot_even_be_refused_stops_its_batch_and_says_so(
    handling: Handling, store: Store
) -> None:
    with pytest.raises(BadRequest, match="index"):
        await one(handling, said("account/a", Deposit(amount=1), id=secrets.token_hex(10_000)))
    assert (await store.head()).position == 0
