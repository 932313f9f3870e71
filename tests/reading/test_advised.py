"""Indexes that are advised serve what was asked, and are there after a rebuild."""

import asyncpg

from tests.projection.world import PARCELS, REGISTRY
from tests.reading.conftest import table_of
from treering.projection import rebuild
from treering.projection.advised import Advice, advice_on
from treering.projection.build import Build, current, found_in, schema_for, tables_of
from treering.reading import ReadModels
from treering.sql import statement
from treering.store import Reader, Store
from treering.testing.fixtures import Database

ASKED = {"weight": 5, "name[ilike]": 4, "contents.*": 9, "id": 1, "gone": 2}


async def built(reader: Reader) -> Build:
    """Return the current build."""
    found = found_in(await reader.fetch(statement("projection_builds"), ["parcels"]))
    build = current(found, PARCELS.version)
    assert build is not None
    return build


async def advice(reader: Reader) -> list[Advice]:
    """Return what to do about what was asked."""
    schema, build = schema_for(reader.namespace), await built(reader)
    named = tables_of(PARCELS, build, schema)[PARCELS.tables[0]]
    found = await reader.fetch(statement("projection_indexed"), f'"{schema}"."{named.name}"')
    return [*advice_on("parcels", named, ASKED, found[0]["columns"])]


async def test_advice_is_followed_and_stays(
    many: ReadModels, store: Store, reader: Reader, database: Database
) -> None:
    await many.check("parcels")
    before = {each.field: each for each in await advice(reader)}
    assert [*before] == ["contents.*", "weight", "name[ilike]", "id"]
    assert [each.field for each in before.values() if each.ddl] == ["weight"]
    connection = await asyncpg.connect(database.writer)
    await connection.execute(before["weight"].ddl or "")
    await connection.close()
    assert [each.why for each in await advice(reader) if each.field == "weight"] == ["there is one"]
    first = await table_of(database, "parcels")
    rebuilt = await rebuild(
        store, REGISTRY, PARCELS, namespace=store.namespace, accept=True, report=lambda _: None
    )
    assert rebuilt.is_taken_up
    assert (await built(reader)).tables[0] not in first
    assert [each.why for each in await advice(reader) if each.field == "weight"] == ["there is one"]
