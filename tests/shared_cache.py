"""A Redis for the session, where the machine has one."""

from collections.abc import Generator

import pytest

from treering.testing import redis as server


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """Start a Redis; return its address."""
    if not server.is_there():
        pytest.skip(server.MISSING)
    with server.running(tmp_path_factory.mktemp("redis")) as url:
        yield url
