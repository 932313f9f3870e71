"""Commands that wait in the store for a newer handler."""

from datetime import UTC, datetime, timedelta

from treering.store import Store
from treering.store.parked import (
    Parked,
    Waiting,
    is_parked,
    overdue,
    park,
    size,
    taken_up,
    unpark,
    waiting,
)  # fmt: skip

AT = datetime(2026, 1, 1, tzinfo=UTC)
KNOWN = {"dataset.create.v1": 2}


def of(
    command: str, offset: int = 1, *, revision: int = 2, partition: int = 0, value: bytes = b"{}"
) -> Parked:
    """Return what is kept of a command."""
    return Parked(
        topic="trees.commands",
        partition=partition,
        offset=offset,
        at=AT,
        command=command,
        type="dataset.create.v1",
        revision=revision,
        key=None,
        value=value,
        headers=[("ce_id", command.encode()), ("empty", None), ("odd", b"\xff"), ("a\0b", b"\0")],
    )


async def test_a_record_that_is_kept_twice_is_there_once_and_as_it_came(store: Store) -> None:
    await park(store, of("a"))
    await park(store, of("a"))
    assert await waiting(store) == [
        Waiting(type="dataset.create.v1", revision=2, waiting=1, oldest=AT)
    ]
    assert await size(store) == (1, 2)
    async with taken_up(store, KNOWN) as found:
        assert found == [of("a")]


async def test_only_what_is_known_is_taken_up(store: Store) -> None:
    await park(store, of("a"))
    await park(store, of("b", 2, revision=3))
    async with taken_up(store, {"dataset.create.v1": 1, "other.create.v1": 9}) as found:
        assert list(found) == []
    async with taken_up(store, KNOWN) as found:
        assert [each.command for each in found] == ["a"]


async def test_several_share_the_work_and_keep_the_order_of_a_partition(store: Store) -> None:
    for place in range(4):
        await park(store, of(str(place), 4 - place, partition=place % 2))
    async with taken_up(store, KNOWN) as first, taken_up(store, KNOWN) as second:
        assert [[each.command for each in found] for found in (first, second)] == [
            ["2", "0"],
            ["3", "1"],
        ]
        async with taken_up(store, KNOWN) as third:
            assert list(third) == []
        await unpark(store, first)
    async with taken_up(store, KNOWN) as found:
        assert [each.command for each in found] == ["3", "1"]


async def test_what_is_taken_up_at_once_is_bounded_by_number_and_bytes(store: Store) -> None:
    for place in range(510):
        await park(store, of(str(place), place))
    async with taken_up(store, KNOWN) as found:
        assert len(found) == 500
        await unpark(store, found)
    for place in range(10):
        await park(store, of(f"large {place}", 1000 + place, value=b"x" * 900_000))
    async with taken_up(store, KNOWN) as found:
        assert len(found) == 10 + 9
    async with overdue(store, AT + timedelta(seconds=1), {}) as found:
        assert len(found) == 10 + 9


async def test_what_is_settled_is_forgotten(store: Store) -> None:
    await park(store, of("a"))
    assert await is_parked(store, "a")
    await unpark(store, [of("a")])
    await unpark(store, [])
    assert not await is_parked(store, "a")


async def test_what_waits_since_before_a_moment_is_found_whatever_it_is(store: Store) -> None:
    await park(store, of("a", revision=9))
    async with overdue(store, AT, KNOWN) as found:
        assert found == ()
    async with overdue(store, AT + timedelta(seconds=1), KNOWN) as found:
        assert found == [of("a", revision=9)]


async def test_what_is_known_here_is_decided_however_long_it_has_waited(store: Store) -> None:
    await park(store, of("a"))
    async with overdue(store, AT + timedelta(seconds=1), KNOWN) as found:
        assert found == ()


async def test_what_somebody_holds_is_not_found_by_others(store: Store) -> None:
    await park(store, of("a"))
    await park(store, of("b", 2, revision=9))
    async with (
        taken_up(store, KNOWN) as deciding,
        overdue(store, AT + timedelta(seconds=1), KNOWN) as found,
    ):
        assert ([each.command for each in deciding], found) == (["a"], ())
