"""A service's roles as processes of their own, to be killed, frozen and thawed.

Whatever ends a member, it is started again at once; when the process that owns the fleet dies,
all its members die.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

from treering.embedded.ports import HOST, free
from treering.errors import ServerError

_LOOK_SECONDS = 0.02
_BREATH_SECONDS = 0.5
"""A member that has ended by itself is started again after so long."""
_STOP_SECONDS = 15.0
_GUARD = "read _; kill -KILL 0"
"""It leads the members' process group, and ends it when nobody holds the other end of its input."""

type Process = subprocess.Popen[bytes]


@dataclass(slots=True, kw_only=True)
class Member:
    """One place in the fleet: a role, and the process that has it at the moment."""

    name: str
    role: str
    log: Path
    port: int = 0
    """Where it listens, if it is a gateway."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """Its settings beside those of the fleet."""
    process: Process | None = None
    began: float = 0.0
    kills: int = 0
    freezes: int = 0
    ends: list[int] = field(default_factory=list[int])
    """The exit statuses with which it ended by itself."""
    is_frozen: bool = False
    was_killed: bool = False

    @property
    def url(self) -> str:
        """Where a gateway answers."""
        return f"http://{HOST}:{self.port}"

    def kill(self) -> None:
        """Kill it where it stands; it is started again."""
        if self._signal(signal.SIGKILL):
            self.kills += 1
            self.was_killed = True

    def freeze(self) -> None:
        """Stop it where it stands, until it is thawed."""
        if self._signal(signal.SIGSTOP):
            self.freezes += 1
            self.is_frozen = True

    def thaw(self) -> None:
        """Let it go on, as if no time had passed."""
        self.is_frozen = False
        self._signal(signal.SIGCONT)

    def terminate(self) -> None:
        """Tell it to finish what it began."""
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> bool:
        """Send the signal; tell whether there was a process to take it."""
        if self.process is None or self.process.poll() is not None:
            return False
        self.process.send_signal(number)
        return True


class Fleet:
    """Members of some roles, each a `treering run ROLE` in its own process."""

    def __init__(
        self, folder: Path, roles: Mapping[str, int], environment: Mapping[str, str]
    ) -> None:
        """Have as many of each of *roles*; *environment* holds their `TREERING_*` settings."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith("TREERING_")}
        self._environment = {**clean, **environment}
        self._folder = folder
        self._made: Counter[str] = Counter()
        self.members: list[Member] = [
            self._member(role, {}) for role, count in roles.items() for _ in range(count)
        ]
        self._guard: Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    def of(self, role: str) -> Sequence[Member]:
        """Return the members that have *role*."""
        return [member for member in self.members if member.role == role]

    def add(self, role: str, environment: Mapping[str, str]) -> Member:
        """Start one more with *role*, which has settings of its own."""
        member = self._member(role, environment)
        self._start(member)
        self.members.append(member)
        return member

    async def retire(self, member: Member) -> int:
        """Let *member* finish what it began and be gone; return its exit status."""
        self.members.remove(member)
        member.thaw()
        member.terminate()
        process = member.process
        if process is None:
            return 0
        try:
            return await asyncio.to_thread(process.wait, _STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return await asyncio.to_thread(process.wait)

    def _member(self, role: str, environment: Mapping[str, str]) -> Member:
        self._made[role] += 1
        name = f"{role}-{self._made[role]}"
        return Member(
            name=name,
            role=role,
            log=self._folder / f"{name}.log",
            port=free() if role == "gateway" else 0,
            environment=environment,
        )

    async def __aenter__(self) -> Self:
        """Start all members."""
        self._guard = _guard()
        for member in self.members:
            self._start(member)
        self._keeping = asyncio.create_task(self._keep(), name="fleet")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let all members finish, and kill those that do not."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})
        for member in self.members:
            member.thaw()
            member.terminate()
        await asyncio.to_thread(self._end, monotonic() + _STOP_SECONDS)

    def _end(self, deadline: float) -> None:
        """Wait for all members, and kill those that still run at *deadline*."""
        processes = [member.process for member in self.members if member.process]
        for process in processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0, deadline - monotonic()))
        if self._guard is not None:
            self._guard.communicate()
        for process in processes:
            process.wait()

    def _start(self, member: Member) -> None:
        if self._guard is None:
            raise ServerError("A fleet starts its members when it is entered.")
        with member.log.open("ab") as log:
            member.process = subprocess.Popen(
                [sys.executable, "-m", "treering", "run", member.role],
                env={
                    **self._environment,
                    **member.environment,
                    "TREERING_PORT": str(member.port),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=self._guard.pid,
            )
        member.began = monotonic()
        member.was_killed = member.is_frozen = False

    async def _keep(self) -> None:
        """Start again whatever has ended."""
        due: dict[str, float] = {}
        while True:
            now = monotonic()
            for member in [*self.members]:
                if _runs(member):
                    continue
                if member.name not in due:
                    due[member.name] = now + self._ended(member)
                if now >= due[member.name]:
                    del due[member.name]
                    self._start(member)
            await asyncio.sleep(_LOOK_SECONDS)

    def _ended(self, member: Member) -> float:
        """Take note of an end; return the seconds until the next start."""
        if member.was_killed or member.process is None:
            return 0.0
        member.ends.append(member.process.returncode)
        return _BREATH_SECONDS


def _guard() -> Process:
    """Begin a group of processes that ends with this process."""
    return subprocess.Popen(["/bin/sh", "-c", _GUARD], stdin=subprocess.PIPE, process_group=0)


def _runs(member: Member) -> bool:
    return member.process is not None and member.process.poll() is None
