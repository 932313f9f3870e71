"""Commands that wait in the store for a newer handler."""

from datetime import UTC, datetime

from treering.store import Store
from treering.store.parked import Parked, is_parked, park, parked, unpark, waiting

AT = datetime(2026, 1, 1, tzinfo=UTC)


def of(command: str, offset: int = 1, *, revision: int = 2) -> Parked:
    """Return what is kept of a command."""
    return Parked(
        topic="trees.commands",
        partition=0,
        offset=offset,
        at=AT,
        command=command,
        type="dataset.create.v1",
        revision=revision,
        key=None,
        value=b"{}",
        headers=[("ce_id", command.encode()), ("empty", None), ("odd", b"\xff"), ("a\0b", b"\0")],
    )


async def test_a_record_that_is_kept_twice_is_there_once_and_as_it_came(store: Store) -> None:
    await park(store, of("a"))
    await park(store, of("a"))
    assert await waiting(store) == {("dataset.create.v1", 2): 1}
    assert await parked(store, {"dataset.create.v1": 2}) == [of("a")]


async def test_only_what_is_known_is_taken_up(store: Store) -> None:
    await park(store, of("a"))
    await park(store, of("b", 2, revision=3))
    assert await parked(store, {"dataset.create.v1": 1, "other.create.v1": 9}) == []
    found = await parked(store, {"dataset.create.v1": 2})
    assert [each.command for each in found] == ["a"]


async def test_what_is_settled_is_forgotten(store: Store) -> None:
    await park(store, of("a"))
    assert await is_parked(store, "a")
    await unpark(store, of("a"))
    assert not await is_parked(store, "a")
