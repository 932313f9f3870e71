"""Kafka starts from what Java learnt once for all services."""

import os
from pathlib import Path

import psutil
import pytest

from treering.embedded import Progress, ServerOptions, Servers, aot, jars
from treering.embedded.options import ignore

ONLY_KAFKA = ServerOptions(database="postgresql://db.example/x")


def test_a_broker_maps_what_was_learnt(servers: Servers) -> None:
    maps = psutil.Process(servers.pids["kafka"]).memory_maps(grouped=True)
    assert [one for one in maps if one.path.endswith(".aot")]


def test_another_runtime_or_other_jars_learn_anew_and_only_the_newest_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classpath = jars.ensure(ONLY_KAFKA, ignore)
    monkeypatch.setattr(jars, "cache_folder", lambda: tmp_path)
    (tmp_path / "aot").mkdir()
    for age in range(5):
        old = tmp_path / "aot" / f"old{age}.aot"
        old.touch()
        os.utime(old, (age, age))
    told: list[Progress] = []
    learnt = aot.trained(classpath, told.append)
    kept = {path.name for path in (tmp_path / "aot").iterdir()}
    assert kept - {"old4.aot", "old3.aot"} == {Path(learnt.options[0].partition("=")[2]).name}
    assert [progress.done for progress in told] == [0, 1, 2]
    assert aot.trained(classpath, told.append) == learnt
    assert len(told) == 3


def test_where_nothing_can_be_learnt_kafka_starts_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classpath = jars.ensure(ONLY_KAFKA, ignore)
    monkeypatch.setattr(jars, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(aot, "SECONDS", 0.0)
    learnt = aot.trained(classpath, ignore)
    assert learnt.options == []
    assert [path.suffix for path in (tmp_path / "aot").iterdir()] == [".failed"]
