"""Versions of the read model `counts`, told apart by a column or by what they add."""

import asyncio
from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, Table, Text

from tests.projection.world import table
from treering.entity import Created
from treering.message import Recorded
from treering.projection import Change, Projection, Status, increment
from treering.reading import ReadModels
from treering.testing.fixtures import Database


def counting(column: str, *, adds: int = 1, stops_at: str = "") -> Projection:
    """Return a version of `counts` with a column of its own, which adds that for each parcel."""
    own = Table(
        "counts",
        MetaData(),
        Column("name", Text, primary_key=True),
        Column("parcels", BigInteger),
        Column(column, BigInteger),
    )

    def fold(recorded: Recorded[Any]) -> Iterable[Change]:
        match recorded.event:
            case Created(fields={"name": str(name)}) if name == stops_at:
                raise ValueError("it stops here")
            case Created(fields={"name": str(name)}):
                return [increment(own, name, {"parcels": adds})]
            case _:
                return []

    return Projection(name="counts", tables=[own], fold=fold, kinds={"parcel"})


async def shown_by_the_view(database: Database, version: Projection, seconds: float = 10) -> bool:
    """See that the plainly named view shows *version*, soon."""
    wanted = [column.name for column in version.tables[0].columns]
    async with asyncio.timeout(seconds):
        while [*(await table(database, "counts"))[0].keys()] != wanted:
            await asyncio.sleep(0.01)
    return True


async def becomes(models: ReadModels, state: str) -> Status:
    """Return how far counts are, once they are in *state*."""
    async with asyncio.timeout(20):
        while True:
            (found,) = await models.status()
            if found.state == state:
                return found
            await asyncio.sleep(0.01)
