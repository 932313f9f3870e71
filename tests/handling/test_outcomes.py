"""What a sender is told: exactly one verdict, however often the command arrives."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from tests.handling.kinds import REGISTRY, Deposit, Transfer, said
from treering.entity import Create, Delete, Entity, Fields, Restore, Update, renamed
from treering.errors import UnknownMessage
from treering.handling import Handling, outcome_of
from treering.message import Malformed, Outcome, Received
from treering.registry import Registry
from treering.store import Reader, Store

RAIN = {"name": "rain", "rows": 1}


async def one(handling: Handling, received: Received[Any]) -> Outcome:
    """Handle one command."""
    (outcome,) = await handling.handle([received])
    return outcome


async def test_an_accepted_command_shows_the_entity_it_made(
    handling: Handling, store: Store
) -> None:
    outcome = await one(handling, said("dataset/1", Create(fields=RAIN), id="c"))
    (event,) = await store.read(0)
    assert (outcome.command, outcome.outcome, outcome.stream) == ("c", "accepted", "dataset/1")
    assert (outcome.version, outcome.positions, outcome.changes) == (1, (1, 1), ())
    at = event.recorded_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert outcome.entity == {"id": "1", "created_at": at, "updated_at": at, "tags": [], **RAIN}
    assert event.body == '{"tags":[],"name":"rain","rows":1}'


async def test_a_command_of_several_streams_names_them_all(handling: Handling) -> None:
    await one(handling, said("account/a", Deposit(amount=5)))
    outcome = await one(handling, said("account/a", Transfer(to="account/b", amount=3)))
    assert [(each.stream, each.version) for each in outcome.changes] == [
        ("account/a", 2),
        ("account/b", 1),
    ]
    assert (outcome.positions, outcome.entity) == ((2, 3), {"id": "account/a", "amount": 2})


async def test_nothing_to_do_is_an_outcome_without_events(handling: Handling, store: Store) -> None:
    await one(handling, said("dataset/1", Create(fields=RAIN)))
    outcome = await one(handling, said("dataset/1", Update(fields={"rows": 1})))
    assert (outcome.outcome, outcome.version, outcome.positions) == ("nothing", 1, None)
    assert outcome.entity is not None
    assert (await store.head()).position == 1


async def test_a_refused_command_says_why_and_leaves_nothing(
    handling: Handling, store: Store
) -> None:
    outcome = await one(handling, said("account/a", Transfer(to="account/b", amount=1)))
    assert outcome.outcome == "refused"
    assert outcome.problem == {
        "type": "urn:treering:error:overdrawn",
        "title": "Overdrawn",
        "status": 409,
        "detail": "account/a holds 0.",
        "holds": 0,
    }
    assert (await store.head()).position == 0


async def test_a_body_that_does_not_fit_is_refused_with_its_faults(handling: Handling) -> None:
    malformed = Malformed(detail="rows: not a number", errors=[{"path": "rows"}])
    outcome = await one(handling, said("dataset/1", malformed))
    assert outcome.problem is not None
    assert (outcome.problem["status"], outcome.problem["errors"]) == (422, [{"path": "rows"}])


async def test_a_stream_that_is_not_where_its_sender_expects_it_is_said(
    handling: Handling,
) -> None:
    await one(handling, said("dataset/1", Create(fields=RAIN)))
    update = Update(fields={"rows": 2})
    outcome = await one(handling, said("dataset/1", update, expected=3))
    assert outcome.problem is not None
    assert (outcome.problem["status"], outcome.problem["version"]) == (412, 1)
    assert (await one(handling, said("dataset/1", update, expected=1))).version == 2


@pytest.mark.parametrize(
    "again",
    [
        said("dataset/1", Create(fields=RAIN), id="again"),
        said("dataset/2", Create(fields={"name": "snow"}), id="again", fresh=True),
        said("dataset/0", Update(fields={"rows": 7}), id="again"),
        said("dataset/0", Create(fields={"name": "x"}), id="again"),
        said("dataset/9", Update(fields={"rows": 7}), id="again"),
        said("dataset/0", Update(fields={"rows": 0}), id="again"),
        said("account/a", Transfer(to="account/b", amount=3), id="again"),
        said("account/b", Transfer(to="account/a", amount=3), id="again"),
        said("account/a", Malformed(detail="no", errors=[]), id="again"),
    ],
    ids=lambda received: f"{type(received.command).__name__} {received.stream}",
)
async def test_a_command_that_is_handled_again_gets_the_same_outcome(
    handling: Handling, other: Handling, store: Store, again: Received[Any]
) -> None:
    await handling.handle(
        [said("dataset/0", Create(fields={"name": "zero"})), said("account/a", Deposit(amount=5))]
    )
    first = await one(handling, again)
    head = (await store.head()).position
    assert await one(handling, again) == first
    assert await one(other, again) == first
    assert await handling.handle([again, again]) == [first, first]
    assert (await store.head()).position == head


async def test_a_refused_command_stays_refused_after_the_state_has_changed(
    handling: Handling, other: Handling, store: Store
) -> None:
    early = said("dataset/1", Update(fields={"rows": 2}))
    first = await one(handling, early)
    assert first.outcome == "refused"
    await one(handling, said("dataset/1", Create(fields=RAIN)))
    assert await one(handling, early) == first
    assert await one(other, early) == first
    assert (await store.head()).position == 1


async def test_an_outcome_shows_the_entity_as_it_was_then(handling: Handling) -> None:
    create = said("dataset/1", Create(fields=RAIN))
    first = await one(handling, create)
    await one(handling, said("dataset/1", Update(fields={"rows": 9})))
    assert await one(handling, create) == first


async def test_one_id_twice_in_a_batch_is_one_command(handling: Handling, store: Store) -> None:
    deposit = said("account/a", Deposit(amount=5))
    first, second = await handling.handle([deposit, deposit])
    assert first == second
    assert (await store.head()).position == 1


@pytest.mark.parametrize("together", [True, False])
async def test_an_id_that_was_used_for_something_else_is_refused_and_the_first_stands(
    handling: Handling, store: Store, *, together: bool
) -> None:
    mine = said("account/a", Deposit(amount=5), id="same")
    theirs = said("account/a", Deposit(amount=7), id="same")
    if together:
        first, second = await handling.handle([mine, theirs])
    else:
        first, second = await one(handling, mine), await one(handling, theirs)
    assert first.outcome == "accepted"
    assert second.problem is not None
    assert second.problem["type"] == "urn:treering:error:id-reused"
    assert await one(handling, mine) == first
    assert (await store.head()).position == 1


async def test_outcomes_are_in_the_order_of_the_batch(handling: Handling) -> None:
    batch = [
        said("dataset/1", Create(fields=RAIN)),
        said("account/a", Transfer(to="account/b", amount=1)),
        said("dataset/1", Delete()),
        said("account/a", Deposit(amount=5)),
        said("dataset/1", Restore()),
        said("account/a", Transfer(to="account/b", amount=1)),
    ]
    found = await handling.handle(batch)
    assert [each.command for each in found] == [each.id for each in batch]
    assert [each.outcome for each in found] == [
        "accepted", "refused", "accepted", "accepted", "accepted", "accepted",
    ]  # fmt: skip


async def test_parts_of_a_large_batch_are_told_before_the_rest_is_durable(
    handling: Handling, store: Store
) -> None:
    told: list[list[Outcome]] = []
    heads: list[int] = []

    async def tell(settled: Sequence[tuple[Received[Any], Outcome]]) -> None:
        assert all(received.id == outcome.command for received, outcome in settled)
        told.append([outcome for _, outcome in settled])
        heads.append((await store.head()).position)

    batch = [said(f"dataset/{n}", Create(fields=RAIN | {"name": f"n{n}"})) for n in range(1_000)]
    found = await handling.handle([*batch, batch[0]], tell)
    assert heads[0] < 1_000, "the first part was told of after the last was durable"
    assert [outcome for part in told for outcome in part] == found[:-1]
    assert found[-1] == found[0]


async def test_an_empty_batch_has_no_outcomes(handling: Handling) -> None:
    assert await handling.handle([]) == []


async def test_anyone_who_reads_can_rebuild_an_outcome(handling: Handling, reader: Reader) -> None:
    received = said("dataset/1", Create(fields=RAIN), id="c")
    first = await one(handling, received)
    verdict = await reader.verdict("c")
    assert verdict is not None
    assert await outcome_of(reader, REGISTRY, verdict) == first


async def test_a_kind_that_is_not_known_is_not_decided(handling: Handling) -> None:
    with pytest.raises(UnknownMessage):
        await one(handling, said("nothing/1", Deposit(amount=1)))


async def test_text_with_a_nul_is_refused_in_words(handling: Handling) -> None:
    outcome = await one(handling, said("dataset/1", Create(fields={"name": "a\0b"})))
    assert outcome.problem is not None
    assert (outcome.problem["status"], outcome.problem["errors"][0]["type"]) == (422, "nul")
    assert "U+0000" in outcome.problem["detail"]
    escaped = await one(handling, said("dataset/1", Create(fields={"name": "a\\u0000b"})))
    assert escaped.outcome == "accepted"


async def test_an_older_release_tells_what_a_newer_one_has_decided(
    store: Store, reader: Reader
) -> None:
    class Newer(Entity, kind="dataset", version=2):
        title: str

    @Newer.upcast(1)
    def from_1(fields: Fields) -> Fields:
        return renamed(fields, name="title")

    newer = Handling(store, Registry([Newer.decider()]))
    first = await one(newer, said("dataset/1", Create(fields={"title": "rain"}), id="c"))
    verdict = await reader.verdict("c")
    assert verdict is not None
    told = await outcome_of(reader, REGISTRY, verdict)
    assert told == msgspec.structs.replace(first, entity=None)
