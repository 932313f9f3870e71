"""A Redis for tests: the machine's own `redis-server`, on a socket, without a file."""

import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from treering.errors import ServerError

MISSING = "redis-server is not installed (Debian: apt-get install redis-server)"
_PATIENCE = 20.0


def is_there() -> bool:
    """Say whether there is one to start."""
    return shutil.which("redis-server") is not None


@contextmanager
def running(folder: Path) -> Generator[str]:
    """Run one in *folder*; yield its address. Raises ServerError if it can not be."""
    if not is_there():
        raise ServerError(f"{MISSING}.")
    path = folder / "redis"
    said = ["--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(
        ["redis-server", *said, "--dir", str(folder)], stdout=subprocess.DEVNULL
    )
    try:
        _wait(process, path)
        yield f"unix://{path}"
    finally:
        process.kill()
        process.wait()


def _wait(process: "subprocess.Popen[bytes]", path: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not _answers(path):
        if time.monotonic() > deadline or process.poll() is not None:
            raise ServerError("redis-server did not start.")
        time.sleep(0.02)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True
