"""Logs: one line an event, to the console or as JSON; what repeats itself is said once in a while.

The lines of the libraries we build on go to a file when there is one, and to the console only
when there is none: a person who runs a service need not know them.
"""

import logging
import sys
import time
from collections.abc import Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, cast

import structlog
from structlog.typing import Processor

from treering.settings import Settings

_QUIET_SECONDS = 10.0
_FILE_BYTES = 2 << 20
_OURS = "treering"


class Repeats(logging.Filter):
    """Lets a line through once in ten seconds, and says then how often it was there."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the line is shown."""
        key = (record.name, _template(record))
        now = time.monotonic()
        since, times = self._seen.get(key, (-_QUIET_SECONDS, 0))
        if now - since < _QUIET_SECONDS:
            self._seen[key] = (since, times + 1)
            return False
        self._seen[key] = (now, 0)
        if times:
            _note(record, times)
        return True


def configure(settings: Settings, *, file: Path | None = None) -> None:
    """Set up logging for this process.

    With a *file* that takes it all; the console is for a person then, who is told what needs
    attention in our own words, and more only if a setting says so.
    """
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    console = logging.StreamHandler(sys.stderr)
    console.setFormatter(_formatter(as_json=settings.log_format == "json"))
    console.addFilter(Repeats())
    handlers: list[logging.Handler] = [console]
    if file is not None:
        console.addFilter(logging.Filter(_OURS))
        console.setLevel(level if "log_level" in settings.model_fields_set else logging.WARNING)
        handlers.append(_filed(file))
    logging.basicConfig(handlers=handlers, level=logging.WARNING, force=True)
    logging.getLogger(_OURS).setLevel(level)
    logging.captureWarnings(capture=True)


def _filed(file: Path) -> logging.Handler:
    file.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(file, maxBytes=_FILE_BYTES, backupCount=1, delay=True)
    handler.setFormatter(_formatter(as_json=True))
    handler.addFilter(Repeats())
    return handler


def _shared() -> Sequence[Processor]:
    return (
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    )


def _formatter(*, as_json: bool) -> logging.Formatter:
    last: Sequence[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [_console()]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )


def _console() -> Processor:
    """Return what makes lines for people.

    Traces are plain: one with the values of all variables takes a busy process ten seconds, in
    which a handler counts as frozen, and it would show passwords.
    """
    plain = structlog.dev.plain_traceback
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)


def _said(record: logging.LogRecord) -> dict[str, Any] | None:
    """Return the words of a line of structlog's; None for one of logging's."""
    said: object = record.msg
    return cast("dict[str, Any]", said) if isinstance(said, dict) else None


def _template(record: logging.LogRecord) -> str:
    said = _said(record)
    return str(record.msg) if said is None else str(said["event"])


def _note(record: logging.LogRecord, times: int) -> None:
    said = _said(record)
    if said is None:
        record.msg = f"{record.msg} ({times} more like this)"
    else:
        said["repeated"] = times
