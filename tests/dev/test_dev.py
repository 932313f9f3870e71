"""`treering dev` as a person has it: it lives through crashes, changes and a second start."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from tests.docs.running import BIN, reader
from treering.dev import announcement
from treering.dev.announcement import Announcement
from treering.embedded import Addresses

SERVICE = """
from treering import Entity, Service

service = Service(id="rain", display_name="Rain", version="1.2.3")


class Station(Entity):
    name: str
"""
START_SECONDS = 110.0
pytestmark = pytest.mark.timeout(240)


def wait(condition: Callable[[], Any], seconds: float = START_SECONDS) -> Any:
    """Wait until *condition* is met and return what it found."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


class Dev:
    """`treering dev --reload` in a folder, on any port."""

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        self.folder = folder
        self.options = options
        self.home = folder / ".treering"
        self.log = folder.parent / "dev.log"
        self.environment = reader(folder.parent) | {"PORT": "0"} | environment
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        command = [BIN / "treering", "dev", "--reload", *self.options]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )
        return self.process

    def ready(self) -> Announcement:
        return wait(lambda: self._ended() or self._ready())

    def _ready(self) -> Announcement | None:
        found = announcement.read(self.home)
        return None if found is None or found.waiting_for else found

    def _ended(self) -> None:
        assert self.process.poll() is None, self.log.read_text()

    def says(self, text: str) -> bool:
        return bool(wait(lambda: text in self.log.read_text()))

    def family(self) -> list[psutil.Process]:
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def ask(self, method: str, path: str, body: Any = None, *, at: str = "") -> tuple[int, Any]:
        address = at or self.ready().http.removeprefix("http://")
        asking = HTTPConnection(address, timeout=60)
        try:
            raw = None if body is None else msgspec.json.encode(body)
            asking.request(method, path, raw, {"content-type": "application/json"})
            answer = asking.getresponse()
            text = answer.read()
            return answer.status, msgspec.json.decode(text) if text else None
        finally:
            asking.close()

    def create(self, name: str) -> str:
        status, made = self.ask("POST", "/api/v1/stations", {"name": name})
        assert status == 201, made
        return made["id"]

    def names(self) -> set[str]:
        status, found = self.ask("GET", "/api/v1/stations?size=100")
        assert status == 200
        return {each["name"] for each in found}

    def pid_of(self, name: str) -> int:
        return wait(lambda: self.ready().processes.get(name))

    def status(self, name: str) -> str:
        said = subprocess.check_output(
            [BIN / "treering", "projections", "status", "--json"],
            cwd=self.folder,
            env=self.environment,
        )
        return next(
            (each["state"] for each in msgspec.json.decode(said) if each["name"] == name), ""
        )

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Generator[Dev]:
    folder = tmp_path_factory.mktemp("dev") / "Rain in März"
    folder.mkdir()
    (folder / "service.py").write_text(SERVICE)
    dev = Dev(folder)
    try:
        dev.ready()
        yield dev
    finally:
        dev.close()


def test_it_says_what_it_started_and_what_to_try(dev: Dev) -> None:
    assert dev.says("Ctrl-C stops it all.")
    said = dev.log.read_text()
    assert "Rain 1.2.3 is ready after" in said
    assert f"curl -X POST {dev.ready().http}/api/v1/stations" in said
    assert all(word in said for word in ("HTTP ", "Kafka ", "PostgreSQL "))


@pytest.mark.parametrize("name", ["gateway", "service", "kafka", "postgres"])
def test_what_dies_is_started_again_and_nothing_is_lost(dev: Dev, name: str) -> None:
    dev.create(f"before {name}")
    pid = dev.pid_of(name)
    os.kill(pid, signal.SIGKILL)
    wait(lambda: dev.ready().processes.get(name, pid) != pid)
    wait(lambda: dev.ask("GET", "/health")[1]["status"] == "healthy")
    dev.create(f"after {name}")
    assert {f"before {name}", f"after {name}"} <= dev.names()


def test_a_change_of_the_code_is_taken_up(dev: Dev) -> None:
    service = dev.folder / "service.py"
    service.write_text(f"{SERVICE}\nclass Gauge(Entity):\n    depth: int\n")
    wait(lambda: dev.ask("POST", "/api/v1/gauges", {"depth": 3})[0] == 201)
    assert dev.says("service.py has changed; starting again.")


def test_a_rule_that_is_new_is_worked_out_and_said_so(dev: Dev) -> None:
    dev.create("twice")
    second = dev.create("twice")
    service = dev.folder / "service.py"
    ruled = SERVICE.replace("(Entity)", "(Entity, unique={'name'})")
    service.write_text(ruled)
    try:
        assert dev.says('station.name="twice": ')
        assert dev.says(
            "Error: Nothing was changed, for what is stored breaks new rules in 1 place;"
        )
    finally:
        service.write_text(SERVICE)
    assert wait(lambda: dev.ask("POST", f"/api/v1/stations/{second}/$purge")[0] < 300)
    service.write_text(ruled)
    assert dev.says("New rule: station unique name.")
    assert wait(lambda: dev.ask("POST", "/api/v1/stations", {"name": "twice"})[0] == 409)
    service.write_text(SERVICE)
    assert dev.says("Rule gone: station unique name.")
    dev.create("twice")


READ_MODEL = """
from sqlalchemy import Column, MetaData, Table, Text

from treering.entity import Created
from treering.projection import projection, put

table = Table("names", MetaData(), Column("id", Text, primary_key=True), Column("name", Text))


@projection("names", tables=[table], kinds={"station"})
def names(recorded):
    if isinstance(recorded.event, Created):
        yield put(table, {"id": recorded.stream, "name": recorded.event.fields["name"]})
"""


def test_a_read_model_that_is_changed_is_built_anew_and_what_differs_is_said(dev: Dev) -> None:
    leaf = dev.folder / "projections" / "names.py"
    leaf.parent.mkdir()
    leaf.write_text(READ_MODEL)
    dev.create("abc")
    assert dev.says("names.py has changed")
    wait(lambda: dev.status("names") == "live")
    leaf.write_text(READ_MODEL.replace('fields["name"]', 'fields["name"].upper()'))
    assert dev.says("names is built anew: its declaration has changed …")
    assert dev.says("of names, such as id=station/")
    assert dev.says("(name)); it is taken up all the same.")
    assert dev.says("names is built: ")
    wait(lambda: dev.status("names") == "live")
    shutil.rmtree(leaf.parent)


def test_code_that_is_broken_is_shown_with_its_line_and_can_be_mended(dev: Dev) -> None:
    service = dev.folder / "service.py"
    service.write_text(f"boats = not_there\n{SERVICE}")
    try:
        assert dev.says("service.py, line 1: NameError: name 'not_there' is not defined")
        assert dev.says("The code that worked goes on until this is mended.")
        assert dev.ask("GET", "/health/live")[0] == 200
        dev.create("meanwhile")
    finally:
        service.write_text(SERVICE)
    dev.create("mended")
    assert "Traceback" not in dev.log.read_text()


def test_after_a_kill_of_everything_all_is_there_again(dev: Dev) -> None:
    dev.create("before the end")
    for each in dev.family():
        with suppress(psutil.NoSuchProcess):  # who is left without a parent ends by itself
            each.kill()
    dev.process.wait()
    dev.start()
    dev.create("after the end")
    assert {"before the end", "after the end"} <= dev.names()


def test_no_message_speaks_of_what_only_kafka_knows(dev: Dev) -> None:
    said = dev.log.read_text().lower()
    assert [word for word in ("partition", "offset", "rebalanc") if word in said] == []


def test_when_the_parent_is_killed_nothing_outlives_it(dev: Dev) -> None:
    dev.ready()
    family = dev.family()
    assert len(family) > 5
    dev.process.kill()
    dev.process.wait()
    _, alive = psutil.wait_procs(family, timeout=60)
    assert alive == []
    dev.start()
    dev.ready()


def test_told_to_stop_it_stops_everything_and_ends_well(dev: Dev) -> None:
    dev.ready()
    family = dev.family()
    dev.process.terminate()
    assert dev.process.wait(60) == 0
    assert psutil.wait_procs(family, timeout=10)[1] == []
    assert dev.says("Stopping, within 10 s.")
    assert announcement.read(dev.home) is None


def test_code_that_never_worked_is_answered_with_503_at_once_and_can_be_mended(
    servers: Addresses, namespace: str, tmp_path: Path
) -> None:
    folder = tmp_path / "rain"
    folder.mkdir()
    good = SERVICE.replace('"rain"', f'"{namespace}"')
    (folder / "service.py").write_text(f"boats = not_there\n{good}")
    port = free_port()
    options = ("--kafka", servers.kafka, "--database", servers.database, "--port", str(port))
    with closing(Dev(folder, *options)) as dev:
        assert dev.says("NameError: name 'not_there' is not defined")
        status, problem = dev.ask("GET", "/health/live", at=f"127.0.0.1:{port}")
        assert (status, problem["status"]) == (503, 503)
        assert "service.py, line 1: NameError" in problem["detail"]
        (folder / "service.py").write_text(good)
        dev.create("mended")


def test_a_folder_without_a_service_is_said_to_have_none(
    servers: Addresses, namespace: str, tmp_path: Path
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    options = ("--kafka", servers.kafka, "--database", servers.database)
    with closing(Dev(folder, *options, TREERING_NAMESPACE=namespace)) as dev:
        dev.ready()
        assert dev.says(f"There is no service.py in {folder}")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def test_servers_that_are_there_are_used(
    servers: Addresses, namespace: str, tmp_path: Path
) -> None:
    folder = tmp_path / "rain"
    folder.mkdir()
    (folder / "service.py").write_text(SERVICE.replace('"rain"', f'"{namespace}"'))
    dev = Dev(folder, "--kafka", servers.kafka, "--database", servers.database)
    with closing(dev):
        dev.create("elsewhere")
        running = dev.ready()
        assert (running.kafka, running.database) == (servers.kafka, servers.database)
        assert running.processes.keys() == {"gateway", "service"}
        assert not (dev.home / "postgres").exists()
