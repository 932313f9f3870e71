"""Both servers of a service's state folder: started in parallel, owned by this process.

Whatever ends this process, its servers end too. What an earlier process has left behind in the
folder is cleaned up before anything is started.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Event, Lock
from types import TracebackType
from typing import Self

from treering.embedded import aot, jars, kafka, ports, postgres, state
from treering.embedded.java import Java
from treering.embedded.kafka import Kafka
from treering.embedded.options import Addresses, Progress, ServerOptions, ignore
from treering.embedded.postgres import Postgres
from treering.errors import ServerError

STARTING = "starting Kafka"
PORT_TAKEN = "Address already in use"
BOTH = ServerOptions()
STOPS = {"postgres": postgres.STOPS, "kafka": kafka.STOPS}


class Servers:
    """The servers of one state folder. Not for several threads at once."""

    def __init__(
        self,
        folder: Path,
        options: ServerOptions = BOTH,
        *,
        report: Callable[[Progress], None] = ignore,
    ) -> None:
        self._folder = folder.absolute()
        self._options = options
        self._report = report
        self._lock: int | None = None
        self._cancelled = Event()
        self._noting = Lock()
        self._postgres: Postgres | None = None
        self._kafka: Kafka | None = None
        self._kafka_port: int | None = None
        self._announced: Addresses | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> Addresses:
        """Start both servers and return when both answer.

        Raises ServerError when another process runs servers in this folder, when the folder is
        that of another release, or, with the end of its log, when one can not be started.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = state.lock(self._folder)
            self._cancelled.clear()
            self._clean_up()
            self._note()
            starts = (self._start_postgres, self._start_kafka)
            self._together(starts, otherwise=self._give_up)
            self._announced = self.addresses
            self._note()
        except OSError as error:
            self.stop()
            raise ServerError(f"{self._folder} can not be used: {error}.") from error
        except BaseException:
            self.stop()
            raise
        return self.addresses

    def stop(self) -> None:
        """Stop both servers cleanly, bounded; a second call does nothing."""
        if self._lock is None:
            return
        self._together([server.stop for server in self._servers()])
        if self._postgres:
            self._postgres.discard()
        self._postgres = self._kafka = self._announced = None
        state.write(self._folder, state.Note(kafka_port=self._kafka_port))
        os.close(self._lock)
        self._lock = None

    def dead(self) -> str | None:
        """Return the name of a server that has died, or None."""
        for server in self._servers():
            if not server.alive():
                return server.name
        return None

    def revive(self) -> None:
        """Start again what has died, where it was before."""
        dead = [server for server in self._servers() if not server.alive()]
        self._together([partial(_revive, server) for server in dead])

    def sizes(self) -> Mapping[str, int]:
        """Return how many bytes each server takes on the disk."""
        return {name: _size(self._folder / name) for name in ("postgres", "kafka")}

    @property
    def addresses(self) -> Addresses:
        """Where the servers are reached while they run."""
        return Addresses(
            kafka=self._kafka.address if self._kafka else self._options.kafka or "",
            database=self._postgres.url if self._postgres else self._options.database or "",
        )

    @property
    def pids(self) -> Mapping[str, int]:
        """The processes of the servers, by `postgres` and `kafka`."""
        return {name: process.pid for name, process in self._processes().items()}

    def _together(
        self,
        actions: Sequence[Callable[[], None]],
        *,
        otherwise: Callable[[], None] = lambda: None,
    ) -> None:
        """Do *actions* in parallel; when one fails, or we are interrupted, *otherwise* as well."""
        pool = ThreadPoolExecutor(len(actions) or 1)
        try:
            started = [pool.submit(action) for action in actions]
            done, _ = wait(started, return_when=FIRST_EXCEPTION)
            for action in done:
                action.result()
        except BaseException:
            otherwise()
            raise
        finally:
            pool.shutdown()

    def _give_up(self) -> None:
        """Let a start that still goes on come to its end soon."""
        self._cancelled.set()
        for server in self._servers():
            server.stop()

    def _tell(self, progress: Progress) -> None:
        """Report *progress*, and go no further when the start was given up."""
        if self._cancelled.is_set():
            raise ServerError("The start was given up.")
        self._report(progress)

    def _start_postgres(self) -> None:
        if self._options.database is None:
            bin_folder = self._options.postgres_bin
            self._postgres = Postgres(self._folder, self._note, bin_folder=bin_folder)
            self._postgres.start()

    def _start_kafka(self) -> None:
        if self._options.kafka is None:
            java = aot.trained(jars.ensure(self._options, self._tell), self._tell)
            self._tell(Progress(STARTING, 0, 1))
            try:
                self._start_broker(java)
            except ServerError as error:
                if self._options.kafka_port or PORT_TAKEN not in str(error):
                    raise
                self._start_broker(java)
            self._report(Progress(STARTING, 1, 1))

    def _start_broker(self, java: Java) -> None:
        port = self._kafka_port = self._choose_port()
        controller = ports.free(but=port)
        self._kafka = Kafka(self._folder, java, self._note, port=port, controller=controller)
        self._kafka.start()

    def _choose_port(self) -> int:
        told = self._options.kafka_port
        if told is None:
            return ports.free(self._kafka_port)
        if not ports.is_free(told):
            raise ServerError(f"Port {told} is taken: stop who listens there, or name another.")
        return told

    def _clean_up(self) -> None:
        """End what an earlier process left running here; it may be ending already."""
        note = state.read(self._folder)
        self._kafka_port = note.kafka_port
        for name, identity in note.processes.items():
            identity.end(STOPS[name])
        if note.socket_folder:
            postgres.remove_socket_folder(Path(note.socket_folder))

    def _servers(self) -> Sequence[Postgres | Kafka]:
        return [server for server in (self._postgres, self._kafka) if server]

    def _processes(self) -> Mapping[str, state.Identity]:
        found = {"postgres": self._postgres, "kafka": self._kafka}
        return {
            name: server.process.identity
            for name, server in found.items()
            if server and server.process
        }

    def _note(self) -> None:
        """Write down what runs; as soon as it does, before anything can happen to us."""
        with self._noting:
            note = state.Note(
                pid=os.getpid(),
                addresses=self._announced,
                processes=self._processes(),
                kafka_port=self._kafka_port,
                socket_folder=str(folder) if (folder := self._socket_folder()) else None,
            )
            state.write(self._folder, note)

    def _socket_folder(self) -> Path | None:
        """Return the socket's folder if it lies outside of ours."""
        folder = self._postgres.socket_folder if self._postgres else None
        return None if folder is None or folder.parent == self._folder else folder


def _revive(server: Postgres | Kafka) -> None:
    server.stop()
    server.start()


def _size(folder: Path) -> int:
    """Return the bytes that *folder* takes on the disk, whatever its files' lengths say."""
    total = 0
    for place, _, names in folder.walk():
        for name in names:
            with suppress(FileNotFoundError):
                total += (place / name).lstat().st_blocks * 512
    return total
