"""A Redis for tests: the machine's own `redis-server`, on a socket, without a file."""

import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

import pytest

MISSING = "redis-server is not installed (Debian: apt-get install redis-server)"


def is_there() -> bool:
    """Say whether there is one to start."""
    return shutil.which("redis-server") is not None


def started(folder: Path) -> tuple["subprocess.Popen[bytes]", str]:
    """Start one in *folder*; return its process and its address."""
    path = folder / "redis"
    said = ["--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(
        ["redis-server", *said, "--dir", str(folder)], stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 20
    while not _answers(path):
        if time.monotonic() > deadline or process.poll() is not None:
            process.kill()
            raise RuntimeError("redis-server did not start.")
        time.sleep(0.02)
    return process, f"unix://{path}"


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """Start a Redis for the session; return its address."""
    if not is_there():
        pytest.skip(MISSING)
    process, url = started(tmp_path_factory.mktemp("redis"))
    yield url
    process.kill()
    process.wait()
