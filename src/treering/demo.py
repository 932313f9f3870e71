"""A scripted tour of a running service: `python -m treering.demo`, or `make demo`.

It uses the `treering dev` of this folder, or starts one in a folder of its own, and ends with 0
when everything went as it says.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiokafka import TopicPartition

from treering import ulid
from treering.bus import Topics, partition_counts
from treering.bus.kafka import new_consumer, started
from treering.cli.output import complain, console, say, show
from treering.dev import announcement
from treering.dev.announcement import Announcement
from treering.errors import ServerError, TreeringError
from treering.roots import home_of
from treering.settings import Settings

CONFIGS, COMMANDS = "/api/v1/configs", "/api/v1/commands"
_START_SECONDS = 300.0
_READ_MS = 5000


def main() -> int:
    """Give the tour; return the exit status."""
    try:
        with _service() as running:
            _tour(running)
    except TreeringError as error:
        complain(str(error))
        return 1
    say("\nThat was the tour. `treering --help` lists what else there is.")
    return 0


def _tour(running: Announcement) -> None:
    _step("Create a config: a POST becomes a command, the command an event, the event a row.")
    config = _asked(running, "POST", CONFIGS, {"name": "demo", "data": {"lags": 3}}, expect=201)
    place = f"{CONFIGS}/{config['id']}"
    _step("Say the same command twice, as one does when an answer was lost: it counts once.")
    said = {"type": "config.tag.v1", "id": ulid.new(), "subject": f"config/{config['id']}"}
    said |= {"data": {"tags": ["tour"]}}
    first, again = (_asked(running, "POST", COMMANDS, said, expect=200) for _ in range(2))
    _hold(first["positions"] == again["positions"], "the command was carried out twice")
    _step("Change it, and read what the read model shows: one sees one's own writes.")
    _asked(running, "PATCH", place, {"data": {"lags": 6}}, expect=200)
    shown = _asked(running, "GET", place, expect=200)
    _hold(shown["data"] == {"lags": 6}, "the read model does not show the change")
    _step("Ask for something that can not be: the refusal says everything that is wrong.")
    _asked(running, "POST", CONFIGS, {"name": "", "dota": {}}, expect=422)
    _step("Every change is an event, on Kafka too, in order:")
    events = asyncio.run(_events(running, f"config/{config['id']}"))
    for event in events:
        say(f"  {event}")
    _hold(len(events) == 3, f"{len(events)} events are on Kafka instead of 3")
    _step("Kill what decides and folds, with kill -9, and write at once:")
    os.kill(running.processes["service"], signal.SIGKILL)
    began = time.monotonic()
    _asked(running, "POST", CONFIGS, {"name": "after the crash"}, expect=201)
    say(f"  answered after {time.monotonic() - began:.1f} s: it was started again by itself.")
    _step("Delete it, and bring it back.")
    _asked(running, "DELETE", place, expect=204)
    _asked(running, "GET", place, expect=404)
    _asked(running, "POST", f"{place}/$restore", expect=200)


@contextmanager
def _service() -> Generator[Announcement]:
    """Use the `treering dev` of this folder, or start one in a folder of its own."""
    home = home_of(Settings.read(os.environ))
    if (running := announcement.read(home)) is not None:
        yield running
        return
    with tempfile.TemporaryDirectory(prefix="treering-demo-") as folder:
        home = Path(folder, ".treering")
        say("Nothing runs in this folder, so the tour starts a service of its own …")
        process = subprocess.Popen(
            [sys.executable, "-m", "treering", "dev", "--port", "0"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )
        try:
            yield _awaited(home, process)
        finally:
            process.terminate()
            process.wait()


def _awaited(home: Path, process: subprocess.Popen[bytes]) -> Announcement:
    deadline = time.monotonic() + _START_SECONDS
    while (found := announcement.read(home)) is None or found.waiting_for:
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerError("The service did not start; `treering dev` says why.")
        time.sleep(0.1)
    return found


def _asked(
    running: Announcement,
    method: str,
    path: str,
    body: Any = None,
    *,
    expect: int,
) -> Any:
    """Ask, show what was asked and answered, and make sure that it is what was expected."""
    asking = HTTPConnection(urlsplit(running.http).netloc, timeout=30)
    headers = {"content-type": "application/json"}
    try:
        asking.request(method, path, None if body is None else json.dumps(body), headers)
        answer = asking.getresponse()
        text = answer.read()
    finally:
        asking.close()
    said = json.dumps(body) if body is not None else ""
    console.print(f"  [cyan]{method} {path}[/cyan] {said}", markup=True)
    found = json.loads(text) if text else None
    say(f"  {answer.status}")
    if found is not None:
        show(found)
    _hold(answer.status == expect, f"{method} {path} was answered with {answer.status}")
    return found


async def _events(running: Announcement, stream: str) -> list[str]:
    """Return what Kafka holds of *stream*, as a subscriber sees it."""
    topic = Topics(running.namespace).events("config")
    count = (await partition_counts(running.kafka, [topic]))[topic]
    partitions = [TopicPartition(topic, each) for each in range(count)]
    consumer = new_consumer(running.kafka, isolation_level="read_committed")
    found: list[str] = []
    async with started(consumer):
        consumer.assign(partitions)
        deadline = time.monotonic() + _READ_MS / 1000
        while len(found) < 3 and time.monotonic() < deadline:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    if record.key == stream.encode():
                        headers = {name: value.decode() for name, value in record.headers}
                        said = (record.value or b"").decode()
                        found.append(f"{headers['ce_position']:>6} {headers['ce_type']} {said}")
    return found


def _step(text: str) -> None:
    console.print(f"\n[bold]{text}[/bold]")


def _hold(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - it reads as a sentence
    if not holds:
        raise ServerError(f"The tour stops: {otherwise}.")


if __name__ == "__main__":
    sys.exit(main())
