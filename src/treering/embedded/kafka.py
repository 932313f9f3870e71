"""Apache Kafka on the Java of a wheel: one KRaft node, on 127.0.0.1 only."""

import asyncio
import shutil
import signal
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from treering.embedded import jars, logs, ports
from treering.embedded.clamp import OFFSETS_PARTITIONS, clamp
from treering.embedded.java import ENVIRONMENT, Java
from treering.embedded.logs import Partition
from treering.embedded.process import Program, Watched, wait
from treering.errors import ServerError

STOPS = ((signal.SIGTERM, 15.0),)
START_SECONDS = 60.0
RELEASE = "release"
STARTED = b"Kafka Server started"
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "broker.session.timeout.ms": "1000",
    "broker.heartbeat.interval.ms": "200",
    "group.min.session.timeout.ms": "1000",
    "group.initial.rebalance.delay.ms": "0",
    "auto.create.topics.enable": "false",
    "num.network.threads": "2",
    "num.io.threads": "2",
    "background.threads": "2",
    "num.recovery.threads.per.data.dir": "2",
    "offsets.topic.num.partitions": str(OFFSETS_PARTITIONS),
    "offsets.topic.replication.factor": "1",
    "offsets.topic.segment.bytes": "16777216",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.segment.bytes": "16777216",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "log.segment.bytes": "67108864",
    "log.index.size.max.bytes": "1048576",
    "log.retention.bytes": "268435456",
    "log.cleaner.dedupe.buffer.size": "2097152",
    "metadata.max.idle.interval.ms": "0",
    "metadata.log.segment.bytes": "16777216",
    "metadata.max.retention.bytes": "33554432",
}


class Kafka:
    """The broker of one state folder."""

    name = "Kafka"

    def __init__(
        self,
        folder: Path,
        java: Java,
        spawned: Callable[[], None] = lambda: None,
        *,
        port: int,
        controller: int,
    ) -> None:
        self.folder = folder / "kafka"
        self._data = self.folder / "data"
        self._log = folder / "logs" / "kafka.log"
        self._java = java
        self._spawned = spawned
        self._port = port
        self._controller = controller
        self.process: Watched | None = None

    @property
    def address(self) -> str:
        return f"{ports.HOST}:{self._port}"

    def start(self) -> None:
        """Make the data folder if there is none, start the broker, wait until it answers."""
        self._refuse_another()
        self._clear_temporary()
        if not self._data.exists():
            self._make_data()
        cut = self._ends_to_keep()
        self._configure("data")
        program = self._program(self._java, "kafka.Kafka", "server.properties")
        process = self.process = Watched(program)
        said = self._log.stat().st_size
        self._spawned()
        if not wait(lambda: self._has_started(said) or not process.alive(), START_SECONDS):
            raise process.failure(f"did not answer within {START_SECONDS:.0f} seconds")
        if not process.alive():
            process.stop()
            raise process.failure("could not be started")
        if cut is not None:
            asyncio.run(clamp(self.address, cut))

    def _has_started(self, said: int) -> bool:
        """Tell whether the broker has said so since; a port that answers may be another's."""
        with self._log.open("rb") as log:
            log.seek(said)
            return STARTED in log.read()

    def alive(self) -> bool:
        """Tell whether the server has been started and still runs."""
        return self.process is not None and self.process.alive()

    def stop(self) -> None:
        """Stop the broker cleanly, bounded."""
        if self.process:
            self.process.stop()

    def _program(self, java: Java, *words: str) -> Program:
        return Program(
            name=self.name,
            command=java.command(f"-Djava.io.tmpdir={self.folder / 'tmp'}", *words),
            folder=self.folder,
            log=self._log,
            stops=STOPS,
            environment=ENVIRONMENT,
        )

    def _refuse_another(self) -> None:
        release = jars.kafka_release()
        mark = self._data / RELEASE
        found = mark.read_text().strip() if self._data.exists() else release
        if found != release:
            raise ServerError(
                f"{self.folder} is the data folder of Kafka {found}, and this is Kafka {release}: "
                "let the release of treering that wrote it finish its commands, then move the "
                "folder away; or name another server with --kafka HOST:PORT."
            )

    def _clear_temporary(self) -> None:
        """Remove the native libraries that a killed Java has left unpacked."""
        temporary = self.folder / "tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        self.folder.chmod(0o700)

    def _make_data(self) -> None:
        """Let Kafka format a folder aside; a rename makes it ours, so no half-made one is used."""
        aside = self.folder / "data.new"
        shutil.rmtree(aside, ignore_errors=True)
        self._configure(aside.name)
        plain = replace(self._java, options=())
        options = ["format", "--cluster-id", _cluster_id(), "--config", "server.properties"]
        formatting = Watched(self._program(plain, "kafka.tools.StorageTool", *options))
        status = formatting.status(START_SECONDS)
        formatting.stop()
        if status != 0:
            raise formatting.failure("could not make its data folder")
        (aside / RELEASE).write_text(jars.kafka_release() + "\n")
        aside.rename(self._data)

    def _configure(self, data: str) -> None:
        """Write the settings; paths in them are relative, so that any folder will do."""
        settings = SETTINGS | {
            "log.dirs": data,
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://{self._controller_address}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "controller.quorum.voters": f"1@{self._controller_address}",
        }
        lines = [f"{key}={value}\n" for key, value in settings.items()]
        (self.folder / "server.properties").write_text("".join(lines))

    @property
    def _controller_address(self) -> str:
        return f"{ports.HOST}:{self._controller}"

    def _ends_to_keep(self) -> Mapping[Partition, int] | None:
        """Return where the logs end if they may be shorter than what was committed for them.

        A log that was cut although the broker ended cleanly has an index that is wrong: without
        the mark of the clean end, Kafka makes it anew.
        """
        ends = logs.ends(self._data)
        clean = logs.ended_cleanly(self._data)
        if clean and not logs.are_cut(self._data, ends):
            return None
        (self._data / logs.CLEAN).unlink(missing_ok=True)
        return ends


def _cluster_id() -> str:
    """Return a random id as Kafka writes them; one must not begin with a dash."""
    while True:
        text = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text
