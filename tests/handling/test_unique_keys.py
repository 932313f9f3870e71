"""Unique keys through the lives of entities."""

import asyncio

from tests.handling.kinds import said
from tests.handling.test_outcomes import one
from treering.decider import Decider
from treering.entity import Create, Delete, Purge, Replace, Restore, Update
from treering.handling import Handling
from treering.message import Command, Event, Outcome, Stream
from treering.registry import Registry
from treering.store import Store

RAIN, SNOW, HAIL = ({"name": name} for name in ("rain", "snow", "hail"))


def holder(outcome: Outcome) -> str:
    """Return who holds the key for which *outcome* is a refusal."""
    assert outcome.problem is not None, outcome
    assert outcome.problem["type"] == "urn:treering:error:key-taken"
    return str(outcome.problem["holder"])


async def test_a_name_that_is_taken_is_refused_with_its_holder(handling: Handling) -> None:
    await one(handling, said("dataset/1", Create(fields=RAIN)))
    refused = await one(handling, said("dataset/2", Create(fields=RAIN)))
    assert holder(refused) == "dataset/1"
    assert refused.problem is not None
    assert refused.problem["key"] == 'dataset.name="rain"'
    assert (await one(handling, said("dataset/2", Create(fields=SNOW)))).outcome == "accepted"
    assert holder(await one(handling, said("dataset/2", Update(fields=RAIN)))) == "dataset/1"


async def test_a_name_that_was_given_up_is_free(handling: Handling) -> None:
    await one(handling, said("dataset/1", Create(fields=RAIN)))
    await one(handling, said("dataset/1", Replace(fields=SNOW)))
    assert (await one(handling, said("dataset/2", Create(fields=RAIN)))).outcome == "accepted"
    assert holder(await one(handling, said("dataset/3", Create(fields=SNOW)))) == "dataset/1"


async def test_a_purge_frees_the_name(handling: Handling) -> None:
    await one(handling, said("dataset/1", Create(fields=RAIN)))
    await one(handling, said("dataset/1", Purge()))
    assert (await one(handling, said("dataset/2", Create(fields=RAIN)))).outcome == "accepted"


async def test_a_delete_keeps_the_name(handling: Handling) -> None:
    await one(handling, said("dataset/1", Create(fields=RAIN)))
    await one(handling, said("dataset/1", Delete()))
    assert holder(await one(handling, said("dataset/2", Create(fields=RAIN)))) == "dataset/1"
    assert (await one(handling, said("dataset/1", Restore()))).outcome == "accepted"


async def test_a_delete_frees_the_name_where_that_is_declared(handling: Handling) -> None:
    mine = {"owner": "me", "name": "lag"}
    await one(handling, said("model/1", Create(fields=mine)))
    await one(handling, said("model/1", Delete()))
    assert (await one(handling, said("model/2", Create(fields=mine)))).outcome == "accepted"
    assert holder(await one(handling, said("model/1", Restore()))) == "model/2"
    await one(handling, said("model/2", Update(fields={"name": "lead"})))
    assert (await one(handling, said("model/1", Restore()))).outcome == "accepted"


async def test_a_group_of_fields_is_unique_as_a_group(handling: Handling) -> None:
    for number, (owner, name) in enumerate([("me", "lag"), ("me", "lead"), ("you", "lag")]):
        fields = {"owner": owner, "name": name}
        made = await one(handling, said(f"model/{number}", Create(fields=fields)))
        assert made.outcome == "accepted"
    taken = Create(fields={"owner": "me", "name": "lag"})
    assert holder(await one(handling, said("model/9", taken))) == "model/0"


async def test_of_two_creates_in_one_batch_the_first_gets_the_name(handling: Handling) -> None:
    first, second = await handling.handle(
        [said("dataset/1", Create(fields=RAIN)), said("dataset/2", Create(fields=RAIN))]
    )
    assert first.outcome == "accepted"
    assert holder(second) == "dataset/1"


async def test_of_two_handlers_creates_one_gets_the_name(
    handling: Handling, other: Handling
) -> None:
    found = await asyncio.gather(
        one(handling, said("dataset/1", Create(fields=RAIN))),
        one(other, said("dataset/2", Create(fields=RAIN))),
    )
    assert sorted(each.outcome for each in found) == ["accepted", "refused"]


async def test_names_move_within_one_batch_in_its_order(handling: Handling) -> None:
    found = await handling.handle(
        [
            said("dataset/1", Create(fields=RAIN)),
            said("dataset/2", Create(fields=RAIN)),
            said("dataset/1", Update(fields=SNOW)),
            said("dataset/1", Update(fields={"rows": 2})),
            said("dataset/3", Create(fields=HAIL)),
            said("dataset/1", Update(fields=HAIL)),
            said("dataset/1", Update(fields={"name": "storm"})),
            said("dataset/1", Delete()),
        ]
    )
    refused = [place for place, each in enumerate(found) if each.outcome == "refused"]
    assert refused == [1, 5]
    assert [holder(each) for each in found if each.problem] == ["dataset/1", "dataset/3"]
    assert (await one(handling, said("dataset/4", Create(fields=SNOW)))).outcome == "accepted"


async def test_a_name_that_comes_and_goes_within_one_stream_is_free_at_the_end(
    handling: Handling,
) -> None:
    names = ["a", "b", "c", "a", "d"]
    await handling.handle(
        [
            said("dataset/1", Create(fields=RAIN)),
            *(said("dataset/1", Update(fields={"name": name})) for name in names),
        ]
    )
    found = await handling.handle(
        [
            said(f"dataset/new-{name}", Create(fields={"name": name}))
            for name in ("rain", "a", "b", "c", "d")
        ]
    )
    assert [each.outcome for each in found] == [*["accepted"] * 4, "refused"]


async def test_a_name_that_was_refused_is_asked_for_again_by_another_command(
    handling: Handling, store: Store
) -> None:
    await one(handling, said("dataset/1", Create(fields=RAIN)))
    late = said("dataset/2", Create(fields=RAIN))
    refused = await one(handling, late)
    await one(handling, said("dataset/1", Purge()))
    assert await one(handling, late) == refused
    assert (await one(handling, said("dataset/2", Create(fields=RAIN)))).outcome == "accepted"
    assert (await store.invariant(full=True)).holds


async def test_two_that_want_each_others_name_are_refused_and_what_came_before_is_done(
    handling: Handling,
) -> None:
    for number, fields in enumerate([RAIN, SNOW]):
        await one(handling, said(f"dataset/{number}", Create(fields=fields)))
    found = await handling.handle(
        [
            said("dataset/0", Update(fields={"rows": 1})),
            said("dataset/1", Update(fields={"rows": 2})),
            said("dataset/0", Update(fields=SNOW)),
            said("dataset/1", Update(fields=RAIN)),
        ]
    )
    assert [each.outcome for each in found] == ["accepted", "accepted", "refused", "refused"]
    assert [holder(each) for each in found[2:]] == ["dataset/1", "dataset/0"]


async def test_a_name_is_taken_after_its_holder_gave_it_up_earlier_in_the_batch(
    handling: Handling,
) -> None:
    found = await handling.handle(
        [
            said("dataset/1", Create(fields=RAIN)),
            said("dataset/1", Update(fields=SNOW)),
            said("dataset/2", Create(fields=RAIN)),
        ]
    )
    assert [each.outcome for each in found] == ["accepted"] * 3


class Couple(Command, type="person.couple.v1"):
    """Have two people be called the same."""

    other: Stream
    name: str


class Named(Event, type="person.named.v1"):
    """Somebody is called so."""

    name: str


PERSON = Decider(
    kind="person",
    initial="",
    concerns=lambda received: [received.command.other],
    decide=lambda _states, received: {
        stream: [Named(name=received.command.name)]
        for stream in (received.stream, received.command.other)
    },
    evolve=lambda _state, recorded: recorded.event.name,
    keys=lambda name: [f"person.name={name}"] if name else [],
    rules=["unique name"],
    commands=[Couple],
    events=[Named],
)


async def test_one_command_cannot_give_a_name_to_two(store: Store) -> None:
    people = Handling(store, Registry([PERSON]))
    refused = await one(people, said("person/a", Couple(other="person/b", name="kim")))
    assert holder(refused) == "person/a"
    assert refused.problem is not None
    assert "person/b" in refused.problem["detail"]
    assert (await store.head()).position == 0
