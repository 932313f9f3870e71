"""Laws: what is replayed is what was live, and whoever writes together keeps the invariant."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.handling.kinds import REGISTRY, Deposit, Transfer, said
from tests.store.asking import owner_of
from treering import ulid
from treering.entity import Create, Delete, Patch, Purge, Replace, Restore, Tag, Untag, Update
from treering.handling import Handling
from treering.handling.states import States, folded
from treering.message import Command, Outcome, Received, Stream
from treering.store import Store
from treering.testing.fixtures import Database

NAMES = st.sampled_from(["rain", "snow", "hail", "fog"])
TAGS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=2)
FIELDS = st.fixed_dictionaries({}, optional={"name": NAMES, "rows": st.integers(0, 3)})
WHOLE = st.fixed_dictionaries({"name": NAMES, "rows": st.integers(0, 3)})
COMMANDS: st.SearchStrategy[Command] = st.one_of(
    st.builds(Create, fields=WHOLE),
    st.builds(Update, fields=FIELDS),
    st.builds(Patch, fields=FIELDS),
    st.builds(Replace, fields=WHOLE),
    st.builds(Tag, tags=TAGS),
    st.builds(Untag, tags=TAGS),
    st.sampled_from([Delete(), Restore(), Purge()]),
)
ABOUT_DATASETS = st.tuples(st.sampled_from(["dataset/1", "dataset/2", "dataset/3"]), COMMANDS)
ACCOUNTS = st.sampled_from(["account/a", "account/b", "account/c"])
ABOUT_ACCOUNTS = st.tuples(
    ACCOUNTS,
    st.one_of(
        st.builds(Deposit, amount=st.integers(0, 5)),
        st.builds(Transfer, to=ACCOUNTS, amount=st.integers(1, 5)),
    ),
)
WANTED = st.lists(st.one_of(ABOUT_DATASETS, ABOUT_ACCOUNTS), min_size=1, max_size=40)
SHARED_STORE = settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""The store is the same for all examples; each has streams and keys of its own."""


def apart(wanted: Sequence[tuple[Stream, Command]], *, rivals: bool = True) -> list[Received[Any]]:
    """Return commands about streams, and for names, that no other example has.

    Unless they are *rivals*, no two streams want one name.
    """
    mark = ulid.new()
    made: list[Received[Any]] = []
    for stream, command in wanted:
        if isinstance(command, Transfer):
            made.append(said(stream + mark, Transfer(to=command.to + mark, amount=command.amount)))
        elif isinstance(command, Create | Update | Patch | Replace) and "name" in command.fields:
            rest = mark if rivals else stream + mark
            fields = {**command.fields, "name": command.fields["name"] + rest}
            made.append(said(stream + mark, type(command)(fields=fields)))
        else:
            made.append(said(stream + mark, command))
    return made


@SHARED_STORE
@given(WANTED, st.integers(1, 40))
async def test_replayed_is_live(store: Store, wanted: list[Any], size: int) -> None:
    commands = apart(wanted)
    handling = Handling(store, REGISTRY)
    live: dict[Stream, Any] = {}
    for first in range(0, len(commands), size):
        for outcome in await handling.handle(commands[first : first + size]):
            if outcome.stream is not None:
                live[outcome.stream] = (outcome.version, outcome.entity)
    states = await folded(store, REGISTRY, dict.fromkeys(live))
    for stream, (version, entity) in live.items():
        held = states[stream]
        changed_by_another = held.version != version
        assert changed_by_another or held.decider.represent(stream, held.state) == entity
        assert not changed_by_another or stream.startswith("account/")


@SHARED_STORE
@given(WANTED)
async def test_a_batch_is_decided_as_if_one_by_one(store: Store, wanted: list[Any]) -> None:
    """Of streams that want one name any may be the first; that is nobody's promise."""
    together, alone = apart(wanted, rivals=False), apart(wanted, rivals=False)
    handling = Handling(store, REGISTRY)
    at_once = await handling.handle(together)
    one_by_one = [(await handling.handle([received]))[0] for received in alone]
    assert [_gist(each) for each in at_once] == [_gist(each) for each in one_by_one]


@pytest.mark.parametrize("cached", [0, 2, 100])
@SHARED_STORE
@given(WANTED)
async def test_writers_at_the_same_moment_keep_the_invariant(
    database: Database, cached: int, wanted: list[Any]
) -> None:
    commands = apart(wanted)
    async with AsyncExitStack() as stack:
        stores = [
            await stack.enter_async_context(
                await Store.open(database.writer, namespace=database.namespace)
            )
            for _ in range(3)
        ]
        found = await asyncio.gather(
            *(
                Handling(store, REGISTRY, cached=cached).handle(_part(commands, place))
                for place, store in enumerate(stores)
            )
        )
        told: dict[str, set[str]] = {}
        for outcome in (each for outcomes in found for each in outcomes):
            told.setdefault(outcome.command, set()).add(_gist(outcome))
        assert all(len(gists) == 1 for gists in told.values())
        assert (await stores[0].invariant(full=True)).holds
        await _once_each(stores[0])
        await _held_by_those_who_say_so(database, stores[0])


def _part(commands: list[Received[Any]], place: int) -> list[Received[Any]]:
    """Return all commands but the first or the last ones, so that most are given to several."""
    return commands[place:] if place % 2 else commands[: len(commands) - place]


async def _once_each(store: Store) -> None:
    """See that the events of each command are those that its verdict names."""
    events = await store.read(0, limit=100_000)
    counted = Counter(event.causation for event in events)
    for command, verdict in (await store.verdicts([*counted])).items():
        assert verdict.positions is not None
        first, last = verdict.positions
        assert counted[command] == last - first + 1


async def _held_by_those_who_say_so(database: Database, store: Store) -> None:
    """See that unique keys are held by exactly the streams whose states say so."""
    owner = await owner_of(database)
    held = {(row["key"], row["stream"]) for row in await owner.fetch("select * from unique_key")}
    streams = [row["stream"] for row in await owner.fetch("select stream from stream")]
    await owner.close()
    states = await folded(store, REGISTRY, dict.fromkeys(streams))
    said_so = {
        (key, stream) for stream, each in states.items() for key in each.decider.keys(each.state)
    }
    assert held == said_so


async def test_the_least_recently_used_state_goes_first(store: Store) -> None:
    states = States(store, REGISTRY, 2)
    (kept,) = (await states.of(["account/a"])).values()
    await states.of(["account/b"])
    await states.of(["account/a"])
    await states.of(["account/c"])
    assert (await states.of(["account/a"]))["account/a"] is kept


def _gist(outcome: Outcome) -> str:
    """Return what was decided, without what differs from one run to the next."""
    problem = outcome.problem and outcome.problem["type"]
    return f"{outcome.outcome} {outcome.version} {problem}"
