"""Start a service as a person does, see it answer, measure it at rest, press Ctrl-C.

    boot.py [--within SECONDS] [--idle SECONDS] [--crash SECONDS] COMMAND…

Fails when the service is not ready and a POST is not answered 201 *within* so many seconds, when
at rest all processes together take 10 % of a core or 600 MB (PSS), or when one outlives Ctrl-C.
With *crash* it is under load for so many seconds, then everything is killed and started again:
that start is the one measured, and whatever was answered 201 before has to be there.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException

import psutil

PATIENCE = 240
STOP_SECONDS = 30
CORE_PERCENT = 10
MEGABYTES = 600
CLIENTS = 16


def main() -> int:
    """Boot, measure, stop; return the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--within", type=float, default=PATIENCE)
    parser.add_argument("--idle", type=float, default=0)
    parser.add_argument("--crash", type=float, default=0)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    told = parser.parse_args()
    port = _free_port()
    made = _crashed(told.command, port, told.crash) if told.crash else []
    with _running(told.command, port) as (service, took):
        print(f"ready and a POST answered in {took:.2f} s (at most {told.within:g})")
        lost = [id_ for id_ in made if _ask(port, "GET", f"/api/v1/configs/{id_}")[0] != 200]
        if told.crash:
            print(
                f"of {len(made)} creates that were answered before the crash {len(lost)} are lost"
            )
        started = _processes(service.pid)
        rests = not told.idle or _rests(started, told.idle)
    left = [process for process in started if process.is_running()]
    print(f"stopped; {len(left)} processes left over", *(process.name() for process in left))
    return 0 if took <= told.within and rests and not lost and not left else 1


@contextmanager
def _running(
    command: Sequence[str], port: int
) -> "Generator[tuple[subprocess.Popen[bytes], float]]":
    """Run the service in the block, from when it answers; yield it and how long that took."""
    began = time.monotonic()
    environment = os.environ | {"PORT": str(port)}
    with subprocess.Popen(command, env=environment, start_new_session=True) as service:
        try:
            _wait(lambda: _ask(port, "GET", "/health/ready")[0] == 200, service)
            _wait(lambda: _ask(port, "POST", "/api/v1/configs")[0] == 201, service)
            yield service, time.monotonic() - began
        finally:
            if service.poll() is None:
                os.killpg(service.pid, signal.SIGINT)
            service.wait(STOP_SECONDS)


def _crashed(command: Sequence[str], port: int, seconds: float) -> list[str]:
    """Run the service under load, kill all of it, and return the ids of what it has created."""
    with _running(command, port) as (service, _), ThreadPoolExecutor(CLIENTS) as clients:
        until = time.monotonic() + seconds
        making = [clients.submit(_creates, port, until + 1) for _ in range(CLIENTS)]
        time.sleep(seconds)
        for process in _processes(service.pid):
            with suppress(psutil.NoSuchProcess):  # who is left without a parent ends by itself
                process.kill()
        return [id_ for each in making for id_ in each.result()]


def _creates(port: int, until: float) -> list[str]:
    """Create until then, or until nobody answers; return the ids."""
    made: list[str] = []
    while time.monotonic() < until:
        status, answer = _ask(port, "POST", "/api/v1/configs")
        if status is None:
            break
        if status == 201:
            made.append(str(answer["id"]))
    return made


def _rests(processes: list[psutil.Process], seconds: float) -> bool:
    """Whether *processes* are small and quiet for *seconds*, once they had half of it to settle."""
    time.sleep(seconds / 2)
    before = sum(sum(process.cpu_times()[:2]) for process in processes)
    time.sleep(seconds)
    cpu = 100 * (sum(sum(process.cpu_times()[:2]) for process in processes) - before) / seconds
    memory = sum(process.memory_full_info().pss for process in processes) / 1e6
    print(
        f"at rest {len(processes)} processes take {cpu:.1f} % of a core and {memory:.0f} MB (PSS)"
    )
    return cpu < CORE_PERCENT and memory < MEGABYTES


def _processes(pid: int) -> list[psutil.Process]:
    """Return the process *pid* and all that descend from it."""
    service = psutil.Process(pid)
    return [service, *service.children(recursive=True)]


def _wait(condition: Callable[[], bool], service: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if service.poll() is not None:
            sys.exit(f"the service ended with {service.returncode} before it answered")
        if time.monotonic() > deadline:
            sys.exit(f"the service has not answered within {PATIENCE} s")
        time.sleep(0.02)


def _ask(port: int, method: str, path: str) -> tuple[int | None, dict[str, object]]:
    """Return the status and the JSON of the answer, or None while nobody answers."""
    asking = HTTPConnection("127.0.0.1", port, timeout=5)
    body = json.dumps({"name": uuid.uuid4().hex, "data": {}}) if method == "POST" else None
    try:
        asking.request(method, path, body, {"content-type": "application/json"})
        answer = asking.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")
    except (OSError, HTTPException, ValueError):
        return None, {}
    finally:
        asking.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    sys.exit(main())
