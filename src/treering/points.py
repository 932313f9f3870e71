"""Named points between two effects: tests have the process killed there, else they cost nothing.

`TREERING_TEST_CRASH=after-append` kills it the first time, `after-append:3` the third.
"""

import os
import signal

_name, _, _times = os.environ.get("TREERING_TEST_CRASH", "").partition(":")
_left = int(_times or 1)


def reached(name: str) -> None:
    """Die here if a test asked for it."""
    global _left  # noqa: PLW0603 - counted for the whole process, as its death is
    if name != _name:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
