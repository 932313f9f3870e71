"""The program of a child of `treering dev`: `python -m treering.dev.program ROLE…`.

It imports and loads while the servers start, then waits for their addresses.
"""

import json
import logging
import os
import socket
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from io import BufferedReader
from pathlib import Path
from typing import Any, cast

import uvloop

from treering.app import App, load
from treering.app.comparison import schemas_of
from treering.app.logs import configure
from treering.app.running import Role, run_until_told
from treering.dev import places
from treering.dev.trial import trial
from treering.errors import TreeringError
from treering.projection import NEWS
from treering.roots import home_of
from treering.settings import Settings

FAILED = 2
_UNEXPECTED = "unexpected"


def main(roles: Sequence[Role]) -> int:
    """Be the child that runs *roles*; return the exit status."""
    control = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    lines = control.makefile("rb")
    settings, more = _told(lines)
    listener = more["listener"]
    configure(settings, file=_log_file(settings, roles))
    try:
        app = load(settings, projections=bool({"gateway", "projector"} & set(roles)))
        schemas_of(app)  # what contradicts a release is not taken up
        _say(control, loaded=_introduction(app))
        settings, more = _told(lines)
        threading.Thread(target=_end_with_parent, args=(lines,), daemon=True).start()
        _tell_news(control)
        settings = places.on_a_laptop(app.service.settle(settings))
        is_ours = more["one_broker"]
        app = replace(app, settings=places.on_one_broker(settings) if is_ours else settings)
        taken = None if listener is None else socket.socket(fileno=listener)
        events_bytes = places.EVENTS_BYTES if is_ours else None
        uvloop.run(run_until_told(app, roles, listener=taken, events_bytes=events_bytes))
    except TreeringError as error:
        _say(control, failed=str(error), kind=type(error).__name__)
        return FAILED
    except Exception as error:
        # The outermost place of this process: the trace goes to the file, a sentence to a person.
        logging.getLogger(_UNEXPECTED).exception("ended")
        reason = f"{type(error).__name__}: {error}; {_log_file(settings, roles)} has it all."
        _say(control, failed=reason, kind=_UNEXPECTED)
        return FAILED
    return 0


def _told(lines: BufferedReader) -> tuple[Settings, dict[str, Any]]:
    """Read one line of the parent: settings and more. Without one it has died, and so do we."""
    line = lines.readline()
    if not line:
        os._exit(FAILED)
    said: dict[str, Any] = json.loads(line)
    return Settings.model_validate(said.pop("settings")), said


def _say(control: socket.socket, **said: Any) -> None:
    control.sendall(json.dumps(said).encode() + b"\n")


class _News(logging.Handler):
    """Says to the parent what a person who changes code wants to know."""

    def __init__(self, control: socket.socket) -> None:
        super().__init__(logging.INFO)
        self._control = control

    def emit(self, record: logging.LogRecord) -> None:
        said: object = record.msg
        _say(self._control, said=str(cast("dict[str, Any]", said)["event"]))


def _tell_news(control: socket.socket) -> None:
    logging.getLogger(NEWS).addHandler(_News(control))


def _introduction(app: App) -> dict[str, Any]:
    return {
        "name": app.service.display_name,
        "version": app.service.version,
        "namespace": app.namespace,
        "trial": trial(app.entities),
    }


def _end_with_parent(lines: BufferedReader) -> None:
    """Wait until the parent is gone, then go at once: its servers have gone with it."""
    while lines.readline():
        pass
    os._exit(FAILED)


def _log_file(settings: Settings, roles: Sequence[str]) -> Path:
    return home_of(settings) / "logs" / f"{roles[0] if len(roles) == 1 else 'service'}.log"


if __name__ == "__main__":
    sys.exit(main(cast("list[Role]", sys.argv[1:])))
