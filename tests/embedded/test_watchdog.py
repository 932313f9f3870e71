"""The watchdog: it ends with its server, and its server ends with it."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.embedded.clients import until
from treering.embedded.process import Program, Watched
from treering.errors import ServerError

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Watched]:
    def run(*words: str) -> Watched:
        return Watched(
            Program(
                name="Program",
                command=[sys.executable, *words],
                folder=tmp_path,
                log=tmp_path / "logs" / "program.log",
                stops=((signal.SIGTERM, 0.2),),
            )
        )

    return run


def test_it_ends_with_the_status_of_its_server(run: Callable[..., Watched]) -> None:
    program = run("-c", "raise SystemExit(3)")
    assert program.status(20) == 3
    assert not program.alive()
    program.stop()


def test_a_server_that_does_not_listen_is_killed(
    run: Callable[..., Watched], tmp_path: Path
) -> None:
    program = run("-c", STUBBORN)
    until(lambda: "ready" in (tmp_path / "logs" / "program.log").read_text())
    program.stop()
    assert not program.identity.alive()
    assert program.status(0) == 128 + signal.SIGKILL


def test_a_program_that_is_not_there_is_a_word_in_its_log(tmp_path: Path) -> None:
    program = Program(
        name="Nothing", command=["/nothing"], folder=tmp_path, log=tmp_path / "log", stops=()
    )
    nothing = Watched(program)
    assert nothing.status(20) == 127
    nothing.stop()
    assert isinstance(nothing.failure("could not be started"), ServerError)
    assert "/nothing" in str(nothing.failure("could not be started"))


def test_a_log_that_has_grown_long_is_kept_short(
    run: Callable[..., Watched], tmp_path: Path
) -> None:
    log = tmp_path / "logs" / "program.log"
    log.parent.mkdir()
    log.write_bytes(b"old\n" * (3 << 20) + b"newest\n")
    program = run("-c", "print('next')")
    assert program.status(20) == 0
    program.stop()
    assert log.read_text() == "next\n"
    older = log.with_name("program.log.1").read_bytes()
    assert older.endswith(b"newest\n")
    assert len(older) == 1 << 20
