"""References through the lives of entities: who is named is there, and stays while it is named."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from pydantic import Field

from tests.handling.kinds import said
from tests.handling.test_outcomes import one
from treering.decider import Decider
from treering.entity import Create, Delete, Entity, Purge, Restore, Tag, Update
from treering.errors import DeclarationError
from treering.handling import Handling
from treering.message import Command, Event, Outcome, Received, Recorded, Stream
from treering.registry import Registry
from treering.store import Store
from treering.testing.fixtures import Database


class Tank(Entity):
    litres: int = 0


class Reading(Entity, references={"tank": Tank, "others": "tank"}):
    tank: str | None = None
    others: list[str] = Field(default_factory=list[str])


class Node(Entity, references={"next": "node"}):
    next: str | None = None


class Lay(Command, type="pipe.lay.v1"):
    """Lay a pipe to some tanks, or to none."""

    tanks: list[Stream]


class Laid(Event, type="pipe.laid.v1"):
    """The pipe leads to these."""

    tanks: list[Stream]


class Pipe(msgspec.Struct, frozen=True):
    tanks: Sequence[Stream] = ()


def _ends(pipe: Pipe) -> Iterable[tuple[str, Stream]]:
    return [("tanks", tank) for tank in pipe.tanks]


def _lay(_pipe: Pipe, received: Received[Lay]) -> Sequence[Event]:
    return [Laid(tanks=received.command.tanks)]


def _laid(_pipe: Pipe, recorded: Recorded[Laid]) -> Pipe:
    return Pipe(recorded.event.tanks)


def _pump(_pipe: Pipe) -> Iterable[str]:
    return ["pump.a"]


PIPE = Decider(
    kind="pipe",
    initial=Pipe(),
    decide=_lay,
    evolve=_laid,
    references=_ends,
    rules=["references tank in tanks", "references pipe in tanks"],
    commands=[Lay],
    events=[Laid],
)
REGISTRY = Registry([Tank.decider(), Reading.decider(), Node.decider(), PIPE])


@pytest.fixture
def water(store: Store) -> Handling:
    """Decide commands about tanks, readings, nodes and pipes."""
    return Handling(store, REGISTRY)


def create(stream: Stream, **fields: object) -> Received[Any]:
    """Create *stream* with *fields*."""
    return said(stream, Create(fields=fields))


def update(stream: Stream, **fields: object) -> Received[Any]:
    """Update *fields* of *stream*."""
    return said(stream, Update(fields=fields))


def missing(outcome: Outcome) -> str:
    """Return what is not there, for which *outcome* is a refusal."""
    assert outcome.problem is not None, outcome
    assert outcome.problem["type"] == "urn:treering:error:reference-missing"
    assert outcome.problem["status"] == 422
    return str(outcome.problem["missing"])


def referred(outcome: Outcome) -> tuple[int, str]:
    """Return how many, and who, refer to the stream for which *outcome* is a refusal."""
    assert outcome.problem is not None, outcome
    assert outcome.problem["type"] == "urn:treering:error:is-referred"
    assert outcome.problem["status"] == 409
    return outcome.problem["count"], outcome.problem["example"]


async def accepted(handling: Handling, *commands: Received[Any]) -> None:
    """Handle *commands* one by one and see that each is accepted."""
    for command in commands:
        outcome = await one(handling, command)
        assert outcome.outcome == "accepted", outcome


async def test_a_field_names_what_is_there(water: Handling) -> None:
    refused = await one(water, create("reading/1", tank="a"))
    assert missing(refused) == "tank/a"
    assert refused.problem is not None
    assert (refused.problem["field"], refused.problem["value"]) == ("tank", "a")
    assert refused.problem["detail"] == (
        "tank: tank/a is not there; create or restore it first, or name another."
    )
    await accepted(water, create("tank/a"), create("reading/1", tank="a"), create("reading/2"))
    assert missing(await one(water, update("reading/2", tank="b"))) == "tank/b"
    await accepted(water, update("reading/2", tank="a"), update("reading/2", tank=None))


async def test_a_list_of_ids_names_each(water: Handling) -> None:
    await accepted(water, create("tank/a"), create("tank/b"))
    refused = await one(water, create("reading/1", others=["a", "b", "c"]))
    assert missing(refused) == "tank/c"
    await accepted(water, create("reading/1", tank="a", others=["a", "b", "a"]))
    assert referred(await one(water, said("tank/a", Delete()))) == (1, "reading/1")
    await accepted(water, update("reading/1", others=["b"]))
    assert referred(await one(water, said("tank/a", Delete()))) == (1, "reading/1")
    await accepted(water, update("reading/1", tank=None), said("tank/a", Delete()))


@pytest.mark.parametrize("end", [Delete(), Purge()])
async def test_who_is_named_stays(water: Handling, end: Command) -> None:
    await accepted(water, create("tank/a"))
    await accepted(water, *(create(f"reading/{n}", tank="a") for n in range(3)))
    refused = await one(water, said("tank/a", end))
    assert referred(refused) == (3, "reading/0")
    assert refused.problem is not None
    assert refused.problem["detail"].startswith("3 refer to tank/a, such as reading/0;")
    await accepted(water, update("tank/a", litres=3))
    await accepted(water, *(said(f"reading/{n}", end) for n in range(2)))
    assert referred(await one(water, said("tank/a", end))) == (1, "reading/2")
    await accepted(water, update("reading/2", tank=None), said("tank/a", end))


async def test_of_more_than_a_thousand_the_number_is_not_said(water: Handling) -> None:
    await accepted(water, create("tank/a"))
    await water.handle([create(f"reading/{n}", tank="a") for n in range(1100)])
    refused = await one(water, said("tank/a", Delete()))
    assert referred(refused) == (1000, "reading/0")
    assert refused.problem is not None
    assert refused.problem["detail"].startswith("More than 1000 refer to tank/a")


async def test_a_deleted_one_does_not_count_and_comes_back_only_to_who_is_there(
    water: Handling,
) -> None:
    await accepted(water, create("tank/a"), create("reading/1", tank="a"))
    await accepted(water, said("reading/1", Delete()), said("tank/a", Delete()))
    assert missing(await one(water, said("reading/1", Restore()))) == "tank/a"
    assert missing(await one(water, create("reading/2", tank="a"))) == "tank/a"
    await accepted(water, said("tank/a", Restore()), said("reading/1", Restore()))
    assert referred(await one(water, said("tank/a", Purge()))) == (1, "reading/1")
    await accepted(water, said("reading/1", Purge()), said("tank/a", Purge()))


async def test_a_deleted_tank_that_is_purged_needs_no_name(water: Handling) -> None:
    await accepted(water, create("tank/a"), said("tank/a", Delete()), said("tank/a", Purge()))


async def test_one_may_name_itself(water: Handling) -> None:
    await accepted(water, create("node/a", next="a"), said("node/a", Delete()))
    await accepted(water, said("node/a", Restore()), said("node/a", Purge()))


async def test_a_ring_is_opened_before_anyone_leaves_it(water: Handling) -> None:
    await accepted(water, create("node/a"), create("node/b", next="a"))
    await accepted(water, update("node/a", next="b"))
    assert referred(await one(water, said("node/a", Delete()))) == (1, "node/b")
    assert referred(await one(water, said("node/b", Delete()))) == (1, "node/a")
    await accepted(water, update("node/a", next=None))
    await accepted(water, said("node/b", Delete()), said("node/a", Delete()))


async def test_a_batch_makes_parents_before_their_children(water: Handling, store: Store) -> None:
    commands = [
        create("reading/0"),
        *(create(f"tank/{n}") for n in range(5)),
        *(create(f"reading/{n}", tank=str(n % 5)) for n in range(1, 200)),
        update("reading/0", tank="4"),
    ]
    outcomes = await water.handle(commands)
    assert {each.outcome for each in outcomes} == {"accepted"}
    ends = [*(f"reading/{n}" for n in range(200)), *(f"tank/{n}" for n in range(5))]
    outcomes = await water.handle([said(stream, Delete()) for stream in ends])
    assert {each.outcome for each in outcomes} == {"accepted"}
    assert (await store.invariant(full=True)).holds


async def test_who_is_made_earlier_in_a_batch_may_be_named_by_whoever_was_touched_before(
    water: Handling,
) -> None:
    await accepted(water, create("reading/1"))
    outcomes = await water.handle(
        [
            said("reading/1", Tag(tags=["first"])),
            create("reading/2", tank="a"),
            create("tank/a"),
            update("reading/1", tank="a"),
        ]
    )
    assert [each.outcome for each in outcomes] == ["accepted", "refused", "accepted", "accepted"]
    assert missing(outcomes[1]) == "tank/a"


async def test_of_two_handlers_one_deletes_or_the_other_refers(
    water: Handling, database: Database
) -> None:
    async with await Store.open(database.writer, namespace=database.namespace) as another:
        other = Handling(another, REGISTRY)
        for n in range(20):
            await accepted(water, create(f"tank/{n}"))
            found = await asyncio.gather(
                one(water, said(f"tank/{n}", Delete())), one(other, create(f"reading/{n}", tank=n))
            )
            assert sorted(each.outcome for each in found) == ["accepted", "refused"]


async def test_a_kind_with_rules_of_its_own_refers_too(water: Handling) -> None:
    await accepted(water, create("tank/a"))
    assert missing(await one(water, said("pipe/1", Lay(tanks=["tank/a", "tank/b"])))) == "tank/b"
    await accepted(water, said("pipe/1", Lay(tanks=["tank/a"])))
    assert referred(await one(water, said("tank/a", Delete()))) == (1, "pipe/1")
    await accepted(water, said("pipe/2", Lay(tanks=["pipe/1"])))
    await accepted(water, said("pipe/1", Lay(tanks=[])), said("tank/a", Delete()))


async def test_a_reference_that_no_rule_speaks_of_is_a_fault(water: Handling) -> None:
    with pytest.raises(DeclarationError, match="say 'references reading in tanks'"):
        await one(water, said("pipe/1", Lay(tanks=["reading/a"])))


async def test_a_key_begins_with_its_kind(store: Store) -> None:
    pipes = replace(PIPE, keys=_pump, rules=[*PIPE.rules, "unique tanks"])
    handling = Handling(store, Registry([Tank.decider(), pipes]))
    with pytest.raises(DeclarationError, match=r"start the keys of 'pipe' with 'pipe\."):
        await one(handling, said("pipe/1", Lay(tanks=[])))


def test_a_kind_that_is_not_there_cannot_be_referred_to() -> None:
    with pytest.raises(DeclarationError, match="declare it, or name another") as raised:
        Registry([Reading.decider()])
    said = "'reading references tank in others': 'tank' is no kind of this service;"
    assert str(raised.value).startswith(said)
    typo = replace(PIPE, rules=["references tnak in tanks"])
    with pytest.raises(DeclarationError, match=r"'tnak' is no kind .* did you mean 'tank'"):
        Registry([Tank.decider(), typo])


async def test_what_is_too_long_to_be_a_name_is_not_there(water: Handling) -> None:
    long = "".join(f"{n:x}" for n in range(3000))
    (outcome,) = await water.handle([create("reading/1", tank=long)])
    assert outcome.problem is not None
    assert missing(outcome) == f"tank/{long[:95]}…"
    assert len(outcome.problem["detail"]) < 200
