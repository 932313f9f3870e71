"""Logs: what reaches a person, what reaches a file, and what is not said twice."""

import json
import logging
from collections.abc import Generator
from pathlib import Path

import pytest
import structlog

from treering.app.logs import Repeats, configure
from treering.settings import Settings


@pytest.fixture(autouse=True)
def _as_before() -> Generator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers, root.level = handlers, level
    logging.getLogger("treering").setLevel(logging.NOTSET)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def test_a_line_as_json_has_its_values(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings(log_format="json"))
    structlog.stdlib.get_logger("treering.test").info("done", command="c-1")
    said = json.loads(capsys.readouterr().err)
    assert (said["event"], said["command"], said["level"]) == ("done", "c-1", "info")


def test_the_lines_of_libraries_look_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings(log_format="json"))
    logging.getLogger("aiokafka").warning("no %s", "answer")
    assert json.loads(capsys.readouterr().err)["event"] == "no answer"


def test_with_a_file_a_person_sees_only_what_needs_attention(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(Settings(), file=tmp_path / "logs/service.log")
    ours = structlog.stdlib.get_logger("treering.test")
    ours.info("running")
    ours.warning("look here")
    logging.getLogger("aiokafka").error("rebalancing")
    shown = capsys.readouterr().err
    assert "look here" in shown
    assert "running" not in shown
    assert "rebalancing" not in shown
    kept = (tmp_path / "logs/service.log").read_text().splitlines()
    assert [json.loads(line)["event"] for line in kept] == ["running", "look here", "rebalancing"]


def test_who_asks_for_more_gets_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings(log_level="info"), file=tmp_path / "service.log")
    structlog.stdlib.get_logger("treering.test").info("running")
    assert "running" in capsys.readouterr().err


def test_what_repeats_itself_is_said_once_and_then_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr("treering.app.logs.time.monotonic", lambda: now)
    repeats = Repeats()

    def line() -> logging.LogRecord:
        return logging.LogRecord("kafka", 30, "", 0, "no answer from %s", ("node",), None)

    assert [repeats.filter(line()) for _ in range(5)] == [True, False, False, False, False]
    now = 111.0
    again = line()
    assert repeats.filter(again)
    assert again.getMessage() == "no answer from node (4 more like this)"


def test_a_trace_shows_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings())
    password = "se" + "cret"
    try:
        int(password[:2])
    except ValueError:
        structlog.stdlib.get_logger("treering.test").exception("failed")
    shown = capsys.readouterr().err
    assert "ValueError: invalid literal" in shown
    assert "secret" not in shown
