"""Commands in a folder in which nothing runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Treering

pytestmark = pytest.mark.usefixtures("folder")


def test_an_unknown_command_is_told_the_nearest(treering: Treering) -> None:
    said = treering("comand")
    assert said.status == 1
    assert 'Did you mean "command"?' in said.err


def test_the_list_says_what_each_is_for(treering: Treering) -> None:
    said = treering("--help")
    assert said.status == 0
    assert "dead Messages that could not be read as commands." in said.out.replace("│", "").replace(
        "         ", " "
    )


@pytest.mark.parametrize(
    "words",
    [
        ("dev",), ("run",), ("status",), ("command",), ("doctor",), ("commands", "show"),
        ("dead", "list"), ("dead", "show"), ("dead", "redrive"), ("events", "tail"),
        ("events", "show"), ("projections", "status"), ("projections", "rebuild"),
        ("projections", "skip"), ("relay", "status"), ("relay", "adopt"), ("relay", "republish"),
        ("db", "upgrade"), ("db", "downgrade"), ("db", "current"), ("schemas", "write"),
        ("schemas", "check"), ("schemas", "diff"), ("schemas", "list"), ("schemas", "release"),
        ("destroy",),
    ],
)  # fmt: skip
def test_every_command_shows_an_example(treering: Treering, words: tuple[str, ...]) -> None:
    said = treering(*words, "--help")
    usage, *rest = said.lines
    assert usage.startswith(f"Usage: treering {' '.join(words)}")
    assert any(f"treering {' '.join(words)}" in line for line in rest)


@pytest.mark.parametrize("words", [("events", "tail"), ("db", "current"), ("doctor",)])
def test_what_needs_a_database_says_how_to_name_one(
    treering: Treering, words: tuple[str, ...]
) -> None:
    said = treering(*words)
    assert said.status == 1
    assert said.err == (
        "Error: No database is named: run `treering dev` in this folder, or set TREERING_DATABASE."
    )


def test_what_needs_kafka_says_how_to_name_it(treering: Treering) -> None:
    said = treering("dead", "list")
    assert said.err.startswith("Error: No Kafka is named")


def test_a_role_without_servers_says_what_is_missing(
    treering: Treering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TREERING_KAFKA", "127.0.0.1:1")
    monkeypatch.setenv("TREERING_RETRY_SECONDS", "0.1")
    said = treering("run", "handler")
    assert said.status == 1
    assert "Kafka" in said.err


def test_status_says_that_nothing_runs(treering: Treering, folder: Path) -> None:
    said = treering("status", "--json")
    assert said.status == 1
    assert said.json["running"] is False
    assert said.json["error"] == f"Nothing runs in {folder}."


@pytest.mark.parametrize("words", [("status", "--json"), ("status",), ("--help",)])
def test_a_command_ends_quietly_when_nobody_reads_on(words: tuple[str, ...]) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "w") as out:
        command = [sys.executable, "-m", "treering", *words]
        done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, check=False)
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            ("station.craete.v1",),
            "no command 'station.craete.v1'; did you mean 'station.create.v1'",
        ),
        (("tank.fill", "litres"), "'litres' is no NAME=VALUE"),
        (("tank.fill", "litres=1", "--data", "{}"), "not both"),
        (("tank.fill", "--data", "[]"), "--data is no JSON object"),
        (("config.create", "data=1", "data.lags=2"), "'data' has a value already"),
        (
            ("config.update", "name=b"),
            "config.update.v1 needs the stream it is about: say --subject",
        ),
    ],
)
def test_a_command_that_can_not_be_meant_is_not_sent(
    treering: Treering, words: tuple[str, ...], complaint: str
) -> None:
    said = treering("command", *words)
    assert said.status == 1
    assert complaint in said.err


def test_an_unknown_setting_is_named(treering: Treering, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TREERING_PROT", "1")
    assert "TREERING_PROT" in treering("status").err


def test_another_folder_can_be_named(treering: Treering, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    said = treering("--app", "empty", "status")
    assert said.err == "Error: empty holds no service.py: name the folder of your service."


def test_schemas_are_written_once_and_then_compared(treering: Treering, folder: Path) -> None:
    assert "commands/station.close.v1.json is missing." in treering("schemas", "check").err
    assert "asyncapi.json" in treering("schemas", "write").lines
    checked = treering("schemas", "check")
    assert (checked.status, checked.lines) == (
        0,
        ["schemas/ is up to date; nothing of it is released: `treering schemas release`."],
    )
    (folder / "schemas/commands/tank.fill.v1.json").write_text("{}")
    said = treering("schemas", "check")
    assert said.status == 1
    assert said.err == "Error: commands/tank.fill.v1.json is not up to date."


def test_a_change_of_what_was_released_is_named_with_the_code_to_begin_with(
    treering: Treering, folder: Path
) -> None:
    assert treering("schemas", "diff").out.startswith("Nothing in schemas/ was released")
    treering("schemas", "write")
    treering("schemas", "release")
    assert treering("schemas", "diff").lines == ["Nothing differs from what was released."]
    altitude = 'altitude: float = 0\n    unit: str = "m"'
    _edit(folder / "service.py", "height: float = 0", altitude)
    _edit(folder / "service.py", '{"name", "height"}', '{"name", "altitude"}')
    _edit(folder / "domain/tank.py", "litres: int\n", "volume: int\n")
    said = treering("schemas", "diff")
    assert said.status == 1
    (change,) = (line for line in said.lines if line.startswith("station.create.v1 "))
    assert "(and update, patch, replace, created, updated, replaced) has a new field" in change
    assert change.endswith(
        "lost its field 'height': not compatible, so it wants a new version and an upcast."
    )
    assert "class Station(Entity, version=2):" in said.lines
    assert "@Station.upcast(1)" in said.lines
    assert 'Upcast(old="tank.filled.v1", new="tank.filled.v2", change=tank_filled_from_1),' in (
        said.lines
    )
    assert any(line.startswith("stations.v1 ") and "next version" in line for line in said.lines)
    assert "`treering schemas diff` shows what to write." in treering("schemas", "check").lines


def test_a_kind_that_is_gone_is_said_wherever_one_looks(treering: Treering, folder: Path) -> None:
    treering("schemas", "write")
    treering("schemas", "release")
    _edit(folder / "service.py", "class Station(Entity,", 'class Station(Entity, kind="place",')
    _edit(folder / "service.py", "station.close.v1", "place.close.v1")
    for command in ("diff", "check", "write", "release"):
        said = treering("schemas", command)
        assert said.status == 1
        assert "The kind 'station' was released and is declared no more" in said.err


def test_a_field_that_was_renamed_is_recognized(treering: Treering, folder: Path) -> None:
    treering("schemas", "write")
    treering("schemas", "release")
    _edit(folder / "service.py", "height: float = 0", "altitude: float = 0")
    _edit(folder / "service.py", '{"name", "height"}', '{"name", "altitude"}')
    assert 'return renamed(fields, height="altitude")' in treering("schemas", "diff").lines


def test_a_field_with_a_default_keeps_the_version(treering: Treering, folder: Path) -> None:
    treering("schemas", "write")
    treering("schemas", "release")
    _edit(folder / "service.py", "height: float = 0", 'height: float = 0\n    unit: str = "m"')
    said = treering("schemas", "diff")
    assert said.status == 0
    assert any(
        line.startswith("station.create.v1 ") and line.endswith("so its version stays.")
        for line in said.lines
    )
    listed = {each["id"] for each in treering("schemas", "list", "--json").json}
    assert {"station.create.v1.2", "stations.v1.2", "tank.fill.v1"} <= listed
    (row,) = (
        line for line in treering("schemas", "list").lines if line.startswith("station.create.v1.2")
    )
    assert {"name", "unit"} <= {*row.split()}


def _edit(file: Path, old: str, new: str) -> None:
    """Change a file of the service, which this process has imported."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    for name in [*sys.modules]:
        if name.partition(".")[0] in ("service", "domain"):
            del sys.modules[name]
