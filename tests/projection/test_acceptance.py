"""What an operator accepts: a build that differs, or a change of code that changes no row."""

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import pytest
from sqlalchemy import BigInteger, CheckConstraint, Column, MetaData, Table, Text

from tests.projection.conftest import Folding
from tests.projection.versions import becomes, counting
from tests.projection.world import COUNTS, PARCELS, append, create, fields, parcel, shown, table
from treering.entity import Created, Updated
from treering.errors import StoreNotReady
from treering.message import Recorded
from treering.projection import Change, Projection, accept, accept_same, prune
from treering.projection.build import begin
from treering.projection.ground import Ground
from treering.reading import ReadModels
from treering.store import Reader, Store
from treering.testing.fixtures import Database

FIRST, SECOND, WRONG = counting("one"), counting("two"), counting("wrong", adds=2)

type Reading = Callable[[Projection], ReadModels]


@pytest.fixture
async def reading(reader: Reader) -> AsyncGenerator[Reading]:
    """Return what opens a version as a gateway that declares it does."""
    async with AsyncExitStack() as stack:

        def opened(version: Projection) -> ReadModels:
            models = ReadModels(reader, [version])
            stack.push_async_callback(models.close)
            return models

        yield opened


async def built(store: Store, folding: Folding, models: ReadModels, version: Projection) -> None:
    """Have *version* folded until it is live."""
    async with folding([version]):
        await becomes(models, "live")
        assert await models.wait("counts", await create(store, ["tea"]), 10)


def renamed() -> Projection:
    """Return COUNTS with code that was changed, and does the same."""

    def fold(recorded: Recorded[Any]) -> Iterable[Change]:
        yield from COUNTS.fold(recorded)

    return Projection(name="counts", tables=COUNTS.tables, fold=fold, kinds={"parcel"})


async def test_a_change_that_changes_no_row_is_accepted_before_the_release_starts(
    store: Store,
    folding: Folding,
    models: ReadModels,
    reading: Reading,
    ground: Ground,
    database: Database,
) -> None:
    other = renamed()
    later = reading(other)
    assert other.version != COUNTS.version
    async with folding([COUNTS]):
        assert await models.wait("counts", await create(store, ["tea"]), 10)
        said = await accept_same(ground, other)
        assert said == "counts goes on with build 1: nothing is built anew for this release."
        async with folding([other]):
            last = await create(store, ["tea"])
            assert await later.wait("counts", last, 10)
            assert await models.wait("counts", last, 10)
    async with folding([other]):
        assert await later.wait("counts", await create(store, ["tea"]), 10)
    (row,) = await table(database, "projection")
    assert (row["build"], row["version"], row["also"]) == (1, COUNTS.version, [other.version])
    assert shown((await later.list("counts")).items)[0]["parcels"] == 3
    assert not (await prune(ground, [other])).dropped


async def test_other_tables_are_not_accepted(
    store: Store, folding: Folding, reading: Reading, ground: Ground
) -> None:
    with pytest.raises(StoreNotReady, match="counts was never built"):
        await accept_same(ground, FIRST)
    await built(store, folding, reading(FIRST), FIRST)
    with pytest.raises(StoreNotReady, match="as other tables are declared: counts"):
        await accept_same(ground, SECOND)
    more = Projection(
        name="counts",
        tables=[*FIRST.tables, *PARCELS.tables],
        fold=FIRST.fold,
        kinds={"parcel"},
    )
    with pytest.raises(StoreNotReady, match="as other tables are declared: parcels"):
        await accept_same(ground, more)


async def test_what_is_being_built_is_not_accepted(
    store: Store,
    folding: Folding,
    models: ReadModels,
    ground: Ground,
    connection: asyncpg.Connection,
) -> None:
    async with folding([COUNTS]):
        assert await models.wait("counts", await create(store, ["tea"]), 10)
    other = renamed()
    lock = f"{ground.schema} counts {other.version}"
    await connection.execute("select pg_advisory_lock(hashtextextended($1, 0))", lock)
    with pytest.raises(StoreNotReady, match="runs already"):
        await accept_same(ground, other)
    await begin(connection, other, ground.schema)
    with pytest.raises(StoreNotReady, match="is being built for this release already"):
        await accept_same(ground, other)
    with pytest.raises(StoreNotReady, match="is not compared yet"):
        await accept(ground, other)


async def test_what_nobody_folds_or_lacks_much_is_not_accepted(
    store: Store, folding: Folding, reading: Reading, ground: Ground
) -> None:
    await built(store, folding, reading(FIRST), FIRST)
    with pytest.raises(StoreNotReady, match=r"not built for this release yet.*`--same`"):
        await accept(ground, WRONG)
    async with folding([WRONG]):
        await becomes(reading(WRONG), "held")
    with pytest.raises(StoreNotReady, match="Nobody folds counts"):
        await accept(ground, WRONG)


async def test_what_lacks_much_is_not_accepted(
    store: Store,
    folding: Folding,
    reading: Reading,
    ground: Ground,
    connection: asyncpg.Connection,
) -> None:
    await built(store, folding, reading(FIRST), FIRST)
    async with folding([WRONG]):
        await becomes(reading(WRONG), "held")
    pieces = [Updated(fields={"pieces": n}) for n in range(10_001)]
    await append(store, parcel(), Created(fields=fields("tea")), *pieces)
    lock = f"{ground.schema} counts {WRONG.version}"
    await connection.execute("select pg_advisory_lock(hashtextextended($1, 0))", lock)
    with pytest.raises(StoreNotReady, match="counts lacks 10,002 events"):
        await accept(ground, WRONG)


async def test_what_has_stopped_is_not_accepted(
    store: Store, folding: Folding, reading: Reading, ground: Ground
) -> None:
    await built(store, folding, reading(FIRST), FIRST)
    stopping = counting("wrong", adds=2, stops_at="bad")
    async with folding([stopping]):
        await becomes(reading(stopping), "held")
        last = await create(store, ["bad"])
        await becomes(reading(stopping), "stopped")
        with pytest.raises(StoreNotReady, match=f"skip counts {last}"):
            await accept(ground, stopping)
    (found,) = await reading(stopping).status()
    assert (found.state, found.is_taken_up) == ("stopped", False)


def declared(*more: Any, collation: str | None = None) -> Projection:
    """Return counts with tables that differ in what is hard to see."""
    columns = (
        Column("name", Text(collation=collation), primary_key=True),
        Column("parcels", BigInteger),
    )
    own = Table("counts", MetaData(), *columns, *more)
    return Projection(name="counts", tables=[own], fold=COUNTS.fold, kinds={"none"})


@pytest.mark.parametrize(
    "other", [declared(CheckConstraint("parcels < 9")), declared(collation="POSIX")]
)
async def test_checks_and_the_order_of_text_are_part_of_a_table(
    other: Projection, folding: Folding, reading: Reading, ground: Ground
) -> None:
    first = declared()
    async with folding([first]):
        await becomes(reading(first), "live")
    with pytest.raises(StoreNotReady, match="as other tables are declared: counts"):
        await accept_same(ground, other)
    async with folding([other]):
        await becomes(reading(other), "live")
