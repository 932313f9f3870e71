"""Kafka's jars: exactly those of `jars.lock`, fetched once into the user's cache for all services.

Every jar is compared with its SHA-256 before it is put in place, and put there by a rename: what
is in the cache under its name is whole and right. Two services may fetch at the same moment.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from treering.embedded import wheels
from treering.embedded.options import Progress, ServerOptions
from treering.errors import ServerError

LOCK = Path(__file__).with_name("jars.lock")
FETCHED_AT_ONCE = 6
WAYS_OUT = (
    "Name a folder of jars with --jars FOLDER, set the address of a Maven mirror, or use "
    "servers that are already there with --kafka HOST:PORT and --database URL."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    """One line of the lock."""

    group: str
    artifact: str
    version: str
    sha256: str
    size: int

    @property
    def name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


@cache
def locked() -> Sequence[Jar]:
    """Return the jars of the lock, in the order of the class path."""
    return tuple(_parse(line) for line in LOCK.read_text().splitlines())


def _parse(line: str) -> Jar:
    coordinate, digest, size = line.split()
    group, artifact, version = coordinate.split(":")
    sha256 = digest.removeprefix("sha256:")
    return Jar(group=group, artifact=artifact, version=version, sha256=sha256, size=int(size))


@cache
def kafka_release() -> str:
    """Return the release of Kafka that the lock pins."""
    return next(jar.version for jar in locked() if jar.artifact == "kafka_2.13")


def cache_folder() -> Path:
    """Return the folder of the user's cache that all services share."""
    return Path(wheels.module("platformdirs").user_cache_dir("treering"))


def ensure(options: ServerOptions, report: Callable[[Progress], None]) -> Sequence[Path]:
    """Return the paths of all jars; fetch, or take from a folder, those that are missing."""
    home = cache_folder() / "kafka" / kafka_release()
    missing = [jar for jar in locked() if not _is_there(home / jar.name, jar)]
    if missing:
        try:
            home.mkdir(parents=True, exist_ok=True)
            _fill(home, missing, options, report)
        except OSError as error:
            raise ServerError(f"Kafka's jars can not be kept in {home}: {error}.") from error
    return [home / jar.name for jar in locked()]


def _is_there(path: Path, jar: Jar) -> bool:
    try:
        return path.stat().st_size == jar.size
    except FileNotFoundError:
        return False


def _fill(
    home: Path, missing: Sequence[Jar], options: ServerOptions, report: Callable[[Progress], None]
) -> None:
    total, done = sum(jar.size for jar in missing), 0
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=home) as staging:
        if options.jars:
            found = _copied(Path(staging), missing, options.jars)
        else:
            found = _fetched(Path(staging), missing, options.mirror)
        for jar, path in found:
            _compare(jar, path)
            path.replace(home / jar.name)
            done += jar.size
            report(Progress("fetching Kafka", done, total))


def _copied(staging: Path, missing: Sequence[Jar], source: Path) -> Iterator[tuple[Jar, Path]]:
    """Copy the jars out of a folder, whatever its subfolders are."""
    there = {path.name: path for path in sorted(source.rglob("*.jar"))}
    for jar in missing:
        if jar.name not in there:
            raise ServerError(
                f"{jar.name} is not in {source}, which must hold every jar of {LOCK}."
            )
        yield jar, Path(shutil.copyfile(there[jar.name], staging / jar.name))


def _fetched(
    staging: Path, missing: Sequence[Jar], mirror: str | None
) -> Iterator[tuple[Jar, Path]]:
    """Fetch the jars as they come; without a mirror's address from where jgo fetches."""
    maven = wheels.module("jgo.maven")
    remote = {"mirror": mirror.rstrip("/")} if mirror else None
    context = maven.MavenContext(repo_cache=staging, local_repos=[], remote_repos=remote)
    with ThreadPoolExecutor(FETCHED_AT_ONCE) as pool:
        futures = {pool.submit(_fetch, context, jar): jar for jar in missing}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _fetch(context: Any, jar: Jar) -> Path:
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    try:
        return Path(component.artifact().resolve())
    except (OSError, RuntimeError) as error:
        raise ServerError(
            f"Kafka's {jar.name} could not be fetched: {error}. {WAYS_OUT}"
        ) from error


def _compare(jar: Jar, path: Path) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != jar.sha256:
        path.unlink()
        raise ServerError(
            f"{jar.name} is not the file that the lock names (SHA-256 {found}, not {jar.sha256}): "
            f"the source of Kafka's jars is wrong or was tampered with. {WAYS_OUT}"
        )
