"""Kafka's jars: locked, fetched from where one is told to, compared, kept for all services."""

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from treering.embedded import Progress, ServerOptions, jars
from treering.embedded.options import ignore
from treering.errors import ServerError


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: ARG002 not a word
        return


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Maven repository with the jars of the lock."""
    root = tmp_path_factory.mktemp("repository")
    for jar, path in zip(jars.locked(), jars.ensure(ServerOptions(), ignore), strict=True):
        folder = root.joinpath(*jar.group.split("."), jar.artifact, jar.version)
        folder.mkdir(parents=True)
        shutil.copyfile(path, folder / jar.name)
    return root


@pytest.fixture
def mirror(repository: Path) -> Iterator[str]:
    """The address of a server that has the repository."""
    handler = partial(Quiet, directory=str(repository))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache instead of the user's."""
    monkeypatch.setattr(jars, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def test_the_lock_names_every_jar_of_one_release_and_no_address() -> None:
    assert len(jars.locked()) == 46
    assert jars.kafka_release() == "4.3.1"
    assert "://" not in jars.LOCK.read_text()


def test_jars_come_from_a_mirror_once_and_are_kept(cache: Path, mirror: str) -> None:
    told: list[Progress] = []
    paths = jars.ensure(ServerOptions(mirror=mirror), told.append)
    assert [path.name for path in paths] == [jar.name for jar in jars.locked()]
    assert {path.is_relative_to(cache) for path in paths} == {True}
    assert [progress.done for progress in told] == sorted({progress.done for progress in told})
    assert told[-1].done == told[-1].total
    assert jars.ensure(ServerOptions(mirror="http://127.0.0.1:9/"), told.append) == paths


def test_only_what_is_missing_is_fetched(cache: Path, mirror: str) -> None:
    paths = jars.ensure(ServerOptions(mirror=mirror), ignore)
    paths[3].unlink()
    told: list[Progress] = []
    jars.ensure(ServerOptions(mirror=mirror), told.append)
    assert [progress.total for progress in told] == [jars.locked()[3].size]
    assert {path.name for path in cache.rglob("*")} >= {path.name for path in paths}


def test_a_jar_that_is_not_the_locked_one_is_refused(
    cache: Path, repository: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "jars"
    shutil.copytree(repository, folder)
    forged = next(folder.rglob("scala-library*.jar"))
    forged.write_bytes(b"x" * forged.stat().st_size)
    with pytest.raises(ServerError, match=r"scala-library-\S+ is not the file that the lock names"):
        jars.ensure(ServerOptions(jars=folder), ignore)
    assert not list(cache.rglob("scala-library*.jar"))


@pytest.mark.usefixtures("cache")
def test_jars_come_from_a_folder(repository: Path) -> None:
    paths = jars.ensure(ServerOptions(jars=repository), ignore)
    assert len(paths) == 46


@pytest.mark.usefixtures("cache")
def test_a_folder_that_lacks_a_jar_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match=r"lz4-java-\S+ is not in"):
        jars.ensure(ServerOptions(jars=tmp_path), ignore)


@pytest.mark.usefixtures("cache")
def test_without_a_network_the_error_names_every_way_out() -> None:
    with pytest.raises(ServerError) as caught:
        jars.ensure(ServerOptions(mirror="http://127.0.0.1:9/"), ignore)
    for way in ("--jars", "mirror", "--kafka", "--database"):
        assert way in str(caught.value)
