"""What Java learnt from one run of Kafka: with it the broker starts in 0.6 s instead of 1.5.

Made once for all services, in the user's cache, from a run that ends cleanly in a folder of its
own; keyed by the runtime, the jars and the options, since another's is of no use. Where it can not
be made, a file says so and why, so that nobody tries at every start.
"""

import hashlib
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import rmtree

from treering.embedded import jars, java, ports
from treering.embedded.java import Java
from treering.embedded.kafka import Kafka
from treering.embedded.options import Progress
from treering.embedded.process import Program, Watched
from treering.errors import ServerError

WHAT = "preparing Kafka"
KEPT = 3
ABANDONED_SECONDS = 3600.0
SECONDS = 120.0


def trained(classpath: Sequence[Path], report: Callable[[Progress], None]) -> Java:
    """Return the Java that starts fastest; the first time on a machine that takes seconds."""
    home = jars.cache_folder() / "aot"
    learnt = home / f"{_key(classpath)}.aot"
    if not learnt.exists() and not _failure(learnt).exists():
        with suppress(ServerError, OSError):
            home.mkdir(parents=True, exist_ok=True)
            _clear(home)
            _learn(classpath, learnt, report)
    options = [f"-XX:AOTCache={learnt}"] if learnt.exists() else []
    return Java(classpath=classpath, options=options)


def _key(classpath: Sequence[Path]) -> str:
    modules = (java.home() / "lib" / "modules").stat()
    parts = [modules.st_size, modules.st_mtime_ns, *java.OPTIONS, *classpath]
    parts += [jar.sha256 for jar in jars.locked()]
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:20]


def _learn(classpath: Sequence[Path], learnt: Path, report: Callable[[Progress], None]) -> None:
    with tempfile.TemporaryDirectory(prefix=".learning-", dir=learnt.parent) as aside:
        record, made = Path(aside) / "record", Path(aside) / "made"
        report(Progress(WHAT, 0, 2))
        _record(Path(aside), classpath, record)
        report(Progress(WHAT, 1, 2))
        try:
            _assemble(Path(aside), classpath, record, made)
            made.replace(learnt)
        except ServerError as error:
            _failure(learnt).write_text(str(error))
        report(Progress(WHAT, 2, 2))


def _failure(learnt: Path) -> Path:
    return learnt.with_suffix(".failed")


def _record(aside: Path, classpath: Sequence[Path], record: Path) -> None:
    options = ["-XX:AOTMode=record", f"-XX:AOTConfiguration={record}"]
    recorder = Java(classpath=classpath, options=options)
    port = ports.free()
    broker = Kafka(aside, recorder, port=port, controller=ports.free(but=port))
    try:
        broker.start()
    finally:
        broker.stop()


def _assemble(aside: Path, classpath: Sequence[Path], record: Path, made: Path) -> None:
    options = ["-XX:AOTMode=create", f"-XX:AOTConfiguration={record}", f"-XX:AOTCache={made}"]
    assembly = Watched(
        Program(
            name="Java",
            command=Java(classpath=classpath, options=options).command(),
            folder=aside,
            log=aside / "logs" / "java.log",
            stops=(),
            environment=java.ENVIRONMENT,
        )
    )
    status = assembly.status(SECONDS)
    assembly.stop()
    if status != 0 or not made.exists():
        raise assembly.failure("could not keep what it learnt")


def _clear(home: Path) -> None:
    """Keep only the newest; remove what a crash has left behind."""
    newest = sorted(home.glob("*.aot"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in newest[KEPT - 1 :]:
        old.unlink(missing_ok=True)
    for folder in home.glob(".learning-*"):
        if time.time() - folder.stat().st_mtime > ABANDONED_SECONDS:
            rmtree(folder, ignore_errors=True)
