"""Runs one server and holds a pipe of the parent; stops the server when that pipe breaks.

A program of its own (`python -I -S watchdog.py SPEC`, with the server's Program as JSON) in a
session of its own, so that neither Ctrl-C in a terminal nor the parent's death reaches the server
by another way. It prints the server's pid, keeps the log short, and ends with the server's status.
It is the server's parent: a pid that it signals can not have become another process.
"""

import ctypes
import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

LOG_LIMIT = 8 << 20
LOG_KEPT = 1 << 20
LOG_CHECK = 60.0

PR_SET_KEEPCAPS, PR_SET_SECUREBITS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 8, 28, 47, 2
NO_SETUID_FIXUP = 1 << 2
CAPABILITY_VERSION_3, CAP_DAC_OVERRIDE = 0x20080522, 1


def main() -> int:
    """Run the server that the first argument describes until it ends or the pipe breaks."""
    spec = json.loads(sys.argv[1])
    wake = _wake_on_signals()
    _shorten(spec["log"])
    log = os.open(spec["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    pid = os.fork()
    if pid == 0:
        _become(spec, log)
    os.write(1, f"{pid}\n".encode())
    status = _watch(pid, wake, spec["log"])
    if status is None:
        status = _stop(pid, spec["stops"])
    return status if status >= 0 else 128 - status


def _wake_on_signals() -> int:
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _only_wake)
    return read


def _only_wake(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: the wake-up pipe has the signal's number."""


def _become(spec: dict[str, Any], log: int) -> NoReturn:
    """Turn this fork into the server."""
    try:
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.chdir(spec["folder"])
        os.umask(0o077)
        if spec["account"]:
            _give_up_root(**spec["account"])
        os.execve(spec["command"][0], spec["command"], spec["environment"])  # noqa: S606 no shell
    except OSError as error:
        os.write(2, f"{spec['command'][0]}: {error}\n".encode())
    os._exit(127)


def _give_up_root(*, uid: int, gid: int, reach: bool) -> None:
    """Become *uid*; with *reach* keep the right to pass folders that only root may pass.

    Without NO_SETUID_FIXUP access(2), by which PostgreSQL looks for its own files, would not count
    that right.
    """
    os.setgroups([])
    os.setgid(gid)
    if not reach:
        os.setuid(uid)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    libc.prctl(PR_SET_SECUREBITS, NO_SETUID_FIXUP, 0, 0, 0)
    os.setuid(uid)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    bit = 1 << CAP_DAC_OVERRIDE
    wanted = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    if libc.capset(header, wanted) or libc.prctl(
        PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0
    ):
        raise OSError(ctypes.get_errno(), "can not keep the right to pass root's folders")


def _watch(pid: int, wake: int, log: str) -> int | None:
    """Wait for the server's end (its status) or for the order to stop it (None)."""
    while True:
        readable, _, _ = select.select([0, wake], [], [], LOG_CHECK)
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if 0 in readable and not os.read(0, 1):
            return None
        if wake in readable and set(os.read(wake, 64)) - {signal.SIGCHLD}:
            return None
        _shorten(log)


def _stop(pid: int, stops: list[tuple[int, float]]) -> int:
    """Send each signal and give it its seconds; SIGKILL is the last word."""
    for number, seconds in stops:
        os.kill(pid, number)
        os.kill(pid, signal.SIGCONT)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _shorten(log: str) -> None:
    """Keep the end of a log that has grown too long, beside it."""
    with suppress(OSError):
        if os.stat(log).st_size < LOG_LIMIT:  # noqa: PTH116 a small process without pathlib
            return
        file = os.open(log, os.O_RDWR | os.O_CLOEXEC)
        older = os.open(log + ".1", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        os.write(older, os.pread(file, LOG_KEPT, os.fstat(file).st_size - LOG_KEPT))
        os.ftruncate(file, 0)
        os.close(older)
        os.close(file)


if __name__ == "__main__":
    sys.exit(main())
