"""Named points, where tests have a process killed."""

import os
import signal
import subprocess
import sys

import pytest

PROGRAM = """
from treering.points import reached
for _ in range(3):
    reached("before")
    print("between", flush=True)
    reached("after")
"""


@pytest.mark.parametrize(
    ("crash", "printed", "status"),
    [
        (None, 3, 0),
        ("elsewhere", 3, 0),
        ("before", 0, -signal.SIGKILL),
        ("after", 1, -signal.SIGKILL),
        ("after:3", 3, -signal.SIGKILL),
        ("before:4", 3, 0),
    ],
)
def test_a_process_dies_where_and_when_it_is_told(
    crash: str | None, printed: int, status: int
) -> None:
    told = {"TREERING_TEST_CRASH": crash} if crash else {}
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.stdout.count("between"), ended.returncode) == (printed, status)
