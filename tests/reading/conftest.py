"""What is read here is folded as the tests of projections fold it."""

from collections.abc import AsyncGenerator

import asyncpg
import pytest

from tests.projection.conftest import Folding, connection, folding, ground, models
from tests.projection.world import PARCELS, append, fields
from treering.entity import Created
from treering.projection.build import in_schema
from treering.reading import ReadModels
from treering.store import Reader, Store
from treering.store.connecting import schema_of
from treering.testing.fixtures import Database

__all__ = ["connection", "folding", "ground", "models"]

_ROWS = """
insert into {table} (id, _version, _position, created_at, updated_at, name, weight)
select 'n' || n, 1, 1, now(), now(), 'n', n from generate_series(1, 1000) n;
analyze {table};
"""
_LARGE = """
insert into {table} (id, _version, _position, created_at, updated_at, name, weight)
select 'm' || n, 1, 1, now(), now(), repeat('n', 200), n from generate_series(1, 60000) n;
analyze {table};
"""


@pytest.fixture
async def many(
    store: Store, reader: Reader, database: Database, folding: Folding
) -> AsyncGenerator[ReadModels]:
    """Have a parcel, and in its table a thousand more, which the planner knows of."""
    models = ReadModels(reader, [PARCELS])
    last = await append(store, "parcel/a", Created(fields=fields("a")))
    async with folding([PARCELS]):
        assert await models.wait("parcels", last, 20)
    connection = await asyncpg.connect(database.owner)
    await connection.execute(_ROWS.format(table=await table_of(database, "parcels")))
    await connection.close()
    yield models
    await models.close()


@pytest.fixture
async def large(many: ReadModels, database: Database) -> str:
    """Have sixty thousand parcels more; return the table."""
    await many.check("parcels")
    table = await table_of(database, "parcels")
    connection = await asyncpg.connect(database.owner)
    await connection.execute(_LARGE.format(table=table))
    await connection.close()
    return table


async def table_of(database: Database, name: str) -> str:
    """Return the table of the only build of the read model called *name*, as SQL has it."""
    schema = f"{schema_of(database.namespace)}_read"
    connection = await asyncpg.connect(database.owner)
    await connection.execute("select set_config('search_path', $1, false)", schema)
    found = await connection.fetchval("select tables[1] from projection where name = $1", name)
    await connection.close()
    return in_schema(schema, str(found))
