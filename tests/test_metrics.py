"""Figures of processes that share a folder are shown together, whichever is asked."""

import os
import subprocess
import sys
from pathlib import Path

from treering import metrics

COUNTS = """
import os
from treering import metrics
metrics.handled(["config.create.v1"] * 2, ["accepted", "refused"], 0.1)
metrics.relay_position.set(7)
metrics.append_waiting.set(3)
print(os.getpid())
"""
SHOWS = "from treering import metrics; print(metrics.exposition().decode())"


def run(code: str, **further: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, **further}
    ).stdout


def test_processes_that_share_are_shown_together(tmp_path: Path) -> None:
    shared = metrics.sharing(tmp_path / "metrics")
    pids = [int(run(COUNTS, **shared)) for _ in range(2)]
    shown = run(SHOWS, **shared)
    assert 'treering_commands_total{type="config.create.v1"} 4.0' in shown
    assert 'treering_outcomes_total{outcome="refused"} 2.0' in shown
    assert "treering_batch_commands_sum 4.0" in shown
    assert "treering_relay_position 7.0" in shown
    assert "treering_append_waiting 6.0" in shown
    assert "process_resident_memory_bytes" in shown
    metrics.forget(tmp_path / "metrics", pids[0])
    shown = run(SHOWS, **shared)
    assert "treering_append_waiting 3.0" in shown
    assert 'treering_commands_total{type="config.create.v1"} 4.0' in shown


def test_a_new_run_begins_at_nothing(tmp_path: Path) -> None:
    run(COUNTS, **metrics.sharing(tmp_path))
    shown = run(SHOWS, **metrics.sharing(tmp_path))
    assert "treering_batch_commands_sum 0.0" in shown
    assert "treering_relay_position 7.0" not in shown


def test_alone_a_process_shows_its_own() -> None:
    shown = run(COUNTS + SHOWS)
    assert 'treering_commands_total{type="config.create.v1"} 2.0' in shown
    assert "treering_append_waiting 3.0" in shown
    assert "process_cpu_seconds_total" in shown


def test_every_figure_is_in_the_reference() -> None:
    page = (Path(__file__).parents[1] / "docs/reference/metrics.md").read_text()
    shown = run(SHOWS)
    names = [line.split()[2] for line in shown.splitlines() if line.startswith("# TYPE")]
    ours = [name for name in names if name.startswith(("treering_", "http_"))]
    assert "treering_append_seconds" in ours
    assert [name for name in ours if f"`{name}`" not in page] == []
