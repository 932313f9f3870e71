"""Handling on the test's store."""

from collections.abc import AsyncGenerator

import pytest

from tests.handling.kinds import REGISTRY
from treering.handling import Handling
from treering.store import Store
from treering.testing.fixtures import Database


@pytest.fixture
def handling(store: Store) -> Handling:
    """Decide commands against the test's store."""
    return Handling(store, REGISTRY)


@pytest.fixture
async def other(database: Database) -> AsyncGenerator[Handling]:
    """Decide commands against the same store, as another process would."""
    async with await Store.open(database.writer, namespace=database.namespace) as store:
        yield Handling(store, REGISTRY)
