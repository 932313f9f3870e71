"""The wheel is complete: it carries the kit's root and starts where nothing else is."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BOOTSTRAP = ROOT / ".bootstrap" / "bin" / "python"
UV = (
    [BOOTSTRAP, ROOT / "scripts" / "uv.py"]
    if BOOTSTRAP.exists()
    else [Path(sys.executable).with_name("uv")]
)
LEAVES = ("projections", "workers", "schemas")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "--target",
        "wheel",
        "--directory",
        folder,
    ]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("treering-*.whl"))


def test_the_wheel_carries_the_root_and_only_the_kit(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    leaves = {
        f"treering/_app/{file.relative_to(ROOT)}"
        for folder in LEAVES
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert leaves <= names
    assert "treering/py.typed" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"treering"}


def test_the_sdist_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    hatch = [sys.executable, "-m", "hatchling", "build", "--directory", tmp_path]
    subprocess.run([*hatch, "--target", "sdist"], cwd=ROOT, check=True, capture_output=True)
    sdist = next(tmp_path.glob("treering-*.tar.gz"))
    subprocess.run(["tar", "-xzf", sdist], cwd=tmp_path, check=True)
    source = tmp_path / sdist.name.removesuffix(".tar.gz")
    subprocess.run([*hatch, "--target", "wheel"], cwd=source, check=True, capture_output=True)
    again = next(tmp_path.glob("treering-*.whl"))
    assert sorted(zipfile.ZipFile(again).namelist()) == sorted(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_installs_and_starts_in_a_fresh_environment(wheel: Path, tmp_path: Path) -> None:
    lock = ROOT / "requirements.lock"
    subprocess.run([*UV, "venv", "--python", sys.executable, tmp_path / "venv"], check=True)
    install = ["pip", "install", "--python", tmp_path / "venv", "--constraint", lock, wheel]
    subprocess.run([*UV, *install], check=True)
    program = tmp_path / "venv" / "bin" / "treering"
    bare = {"PATH": os.defpath, "HOME": str(tmp_path)}
    done = subprocess.run(
        [program, "--help"], cwd=tmp_path, env=bare, check=True, capture_output=True
    )
    assert b"dev" in done.stdout
