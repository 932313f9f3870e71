"""Servers for the tests of the embedded servers: real ones, one pair a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from treering.embedded import Servers


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("service") / ".treering"


@pytest.fixture(scope="module")
def servers(folder: Path) -> Iterator[Servers]:
    """Both servers, running."""
    both = Servers(folder)
    both.start()
    yield both
    both.stop()
