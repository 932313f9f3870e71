"""The house keeps its own rules: layout, imports, sizes, locks."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from scripts.sizes import sizes

ROOT = Path(__file__).parents[1]
CODE = ("src", "projections", "workers", "tests", "examples", "benchmarks", "scripts")
TOLD = ("docs", "schemas", ".ci")
TEXT = {".md", ".py", ".sh", ".sql", ".toml", ".json", ".yaml", ".lock", ""}
MACHINE_PATH = re.compile(r"(?<![\w.~$}])/(?:work|root|farm|tmp/brief)(?=/)")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def text_files() -> Iterator[Path]:
    yield from (file for file in ROOT.iterdir() if file.is_file() and file.suffix in TEXT)
    for folder in (*CODE, *TOLD):
        for file in sorted((ROOT / folder).rglob("*")):
            kept = ".treering" not in file.parts and "__pycache__" not in file.parts
            if kept and file.is_file() and file.suffix in TEXT:
                yield file


def test_no_import_stands_inside_a_function() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{inner.lineno}"
        for file in python_files(*CODE)
        for function in ast.walk(ast.parse(file.read_text()))
        if isinstance(function, FUNCTION)
        for inner in ast.walk(function)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert found == []


def test_the_public_names_are_sorted_and_there() -> None:
    treering = import_module("treering")
    assert treering.__all__ == sorted(treering.__all__)
    assert [name for name in treering.__all__ if not hasattr(treering, name)] == []


def test_files_and_functions_stay_small() -> None:
    assert [size for size in sizes(ROOT) if size.is_refused] == []


def test_every_module_says_what_it_is() -> None:
    files = python_files("src", "projections", "workers", "benchmarks")
    silent = [file for file in files if not ast.get_docstring(ast.parse(file.read_text()))]
    assert silent == []


@pytest.mark.parametrize("folder", ["projections", "workers"])
def test_a_folder_of_leaves_is_a_namespace_under_contract(folder: str) -> None:
    assert (ROOT / folder / "README.md").is_file()
    assert not (ROOT / folder / "__init__.py").exists()
    if any((ROOT / folder).glob("*.py")):
        assert folder in PROJECT["tool"]["importlinter"]["root_packages"]


def test_schemas_hold_no_python() -> None:
    assert list((ROOT / "schemas").rglob("*.py")) == []


@pytest.mark.parametrize("lock", sorted(ROOT.glob("*.lock")) + sorted(ROOT.rglob("src/**/*.lock")))
def test_a_lock_names_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert re.search(r"\b[0-9a-f]{64}\b", text)
    assert re.findall(r"\S*://\S*|\S+\.(?:org|com|io|net)/\S*|--\S*index\S*", text) == []


def test_every_dependency_is_locked() -> None:
    pinned = re.findall(
        r"^([\w.-]+)==([\w.]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE
    )
    locked = {_plain(name): Version(version) for name, version in pinned}
    project = PROJECT["project"]
    extras = [one for extra in project["optional-dependencies"].values() for one in extra]
    wanted = [*project["dependencies"], *extras, *PROJECT["dependency-groups"]["dev"]]
    missing = [
        text
        for text in wanted
        if (one := Requirement(text)).specifier.contains(locked.get(_plain(one.name), "0")) is False
    ]
    assert missing == [], "`make lock` follows a change of pyproject.toml"


def test_nothing_names_a_path_of_the_machine_it_was_written_on() -> None:
    found = [
        f"{file.relative_to(ROOT)}: {match[0]}"
        for file in text_files()
        for match in MACHINE_PATH.finditer(file.read_text(errors="replace"))
    ]
    assert found == []


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    command = ["make", "help"]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert re.findall(r"^  make (\S+) +\S", said, re.MULTILINE) == phony[1].split()


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
