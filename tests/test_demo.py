"""The tour, given from the beginning to the end."""

import subprocess
import sys
from pathlib import Path

from tests.docs.running import reader


def test_the_tour_of_a_service_of_its_own_ends_well(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    tour = subprocess.run(
        [sys.executable, "-m", "treering.demo"],
        cwd=folder,
        env=reader(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert tour.returncode == 0, tour.stdout + tour.stderr
    assert "That was the tour." in tour.stdout
