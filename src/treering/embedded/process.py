"""A server's process under its watchdog, and what tells a process from a later one of its pid."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from subprocess import DEVNULL, PIPE

from treering.errors import ServerError

WATCHDOG = Path(__file__).with_name("watchdog.py")
TAIL_LINES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who a server runs as when we are root and it must not be."""

    uid: int
    gid: int
    reach: bool
    """Whether it needs the right to pass folders that are closed to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What a watchdog runs, and how it is stopped."""

    name: str
    command: Sequence[str]
    folder: Path
    log: Path
    stops: Sequence[tuple[int, float]]
    """Signals and the seconds each is given; SIGKILL follows the last."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    account: Account | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A pid and its birth: no later process has both."""

    pid: int
    birth: str

    def alive(self) -> bool:
        """Tell whether exactly this process still runs."""
        return birth(self.pid) == self.birth

    def end(self, stops: Sequence[tuple[int, float]]) -> None:
        """End this process, and only this; return when it is gone."""
        for number, seconds in (*stops, (signal.SIGKILL, 10.0)):
            if not self.alive():
                return
            try:
                os.kill(self.pid, number)
                os.kill(self.pid, signal.SIGCONT)
            except ProcessLookupError:
                return
            wait(lambda: not self.alive(), seconds)


def birth(pid: int) -> str:
    """Return when *pid* was born, in words that no later process of that pid has; "" if gone."""
    if sys.platform != "linux":
        state, _, started = _shown("state=,lstart=", pid).partition(" ")
        return "" if state.startswith("Z") else started.strip()
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
    is_last_thread = int(fields[17]) <= 1
    return "" if fields[0] in "ZX" and is_last_thread else f"{boot} {fields[19]}"


def command_name(pid: int) -> str:
    """Return the name of the program that *pid* runs; "" if it is gone."""
    if sys.platform != "linux":
        return _shown("comm=", pid)
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _shown(columns: str, pid: int) -> str:
    """Return what `ps` shows of *pid*, where there is no /proc."""
    command = ["/bin/ps", "-o", columns, "-p", str(pid)]
    shown = subprocess.run(
        command, capture_output=True, text=True, check=False, env={"LC_ALL": "C"}
    )
    return shown.stdout.strip()


def wait(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until *condition* holds, at most *seconds*; tell whether it does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


class Watched:
    """One run of a program under its watchdog. It ends when this process ends, whatever way."""

    def __init__(self, program: Program) -> None:
        self.program = program
        program.log.parent.mkdir(parents=True, exist_ok=True)
        self._watchdog = subprocess.Popen(
            [sys.executable, "-I", "-S", str(WATCHDOG), json.dumps(asdict(program), default=str)],
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            start_new_session=True,
        )
        order, told = self._watchdog.stdin, self._watchdog.stdout
        if order is None or told is None:
            raise ServerError(f"The watchdog of {program.name} has no pipes.")
        with told:
            line = told.readline()
        self._order = order
        if not line:
            raise ServerError(f"The watchdog of {program.name} could not be started.")
        pid = int(line)
        self.identity = Identity(pid=pid, birth=birth(pid))

    @property
    def pid(self) -> int:
        return self.identity.pid

    def alive(self) -> bool:
        """Tell whether the server and its watchdog run."""
        return self._watchdog.poll() is None and self.identity.alive()

    def status(self, seconds: float) -> int | None:
        """Wait for the program's end, at most *seconds*; return its exit status."""
        try:
            return self._watchdog.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        """Stop the server in its own time, bounded; a second call does nothing."""
        self._order.close()
        bound = sum(seconds for _, seconds in self.program.stops) + 5.0
        if self.status(bound) is None:
            self._watchdog.kill()
            self._watchdog.wait()
        self.identity.end(self.program.stops)

    def failure(self, what: str) -> ServerError:
        """Return the error that says *what* went wrong, with the end of the log."""
        return ServerError(f"{self.program.name} {what}; its log ends:\n{tail(self.program.log)}")


def tail(log: Path) -> str:
    """Return the last lines of *log*, without the frames of a Java stack that hide the words."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return "(no log)"
    lines = [line for line in text.splitlines() if not line.startswith("\tat ")]
    return "\n".join(lines[-TAIL_LINES:])
