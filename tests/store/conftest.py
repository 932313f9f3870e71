"""A service on the test's store, whose rules change."""

import pytest

from tests.store.changing import Service
from treering.testing.fixtures import Database


@pytest.fixture
def service(database: Database) -> Service:
    """Return a service whose store keeps no rules yet."""
    return Service(database)
