"""The store on a PostgreSQL that Docker brings, where there is a Docker."""

import shutil
import subprocess
import warnings
from collections.abc import Generator

import pytest
from testcontainers.community.postgres import PostgresContainer

from treering import ulid
from treering.store import Store, migrations


def docker_answers() -> bool:
    """Ask Docker's daemon for its version."""
    program = shutil.which("docker")
    return (
        bool(program)
        and not subprocess.run([program, "info"], capture_output=True, check=False).returncode
    )


@pytest.fixture(scope="module")
def postgres() -> Generator[str]:
    if not docker_answers():
        pytest.skip("no Docker daemon answers here, so no container can be started")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own, on its way in
        container = PostgresContainer("postgres:18-alpine", driver=None)
    with container as started:
        yield started.get_connection_url()


async def test_the_store_is_at_home_on_a_postgresql_of_a_container(postgres: str) -> None:
    namespace = f"t-{ulid.new()[-12:].lower()}"
    await migrations.upgrade(postgres, namespace)
    async with await Store.open(postgres, namespace=namespace) as store:
        assert (await store.invariant(full=True)).holds
