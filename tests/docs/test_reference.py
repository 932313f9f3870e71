"""The reference is complete, and no link of the documentation leads nowhere."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclopts import App

from treering import errors
from treering.cli import app
from treering.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
REFERENCE = "\n".join(page.read_text() for page in sorted((ROOT / "docs/reference").glob("*.md")))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))


def commands(of: App, name: str) -> Iterator[str]:
    """Yield every command as one types it."""
    for word in of:
        if not word.startswith("-"):
            yield from commands(of[word], f"{name} {word}")
    if of.default_command and name != "treering":
        yield name


def test_every_setting_is_in_the_reference() -> None:
    names = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    assert [name for name in names if f"`{name}`" not in REFERENCE] == []


def test_every_error_is_in_the_reference() -> None:
    names = [
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.TreeringError)
    ]
    assert [name for name in names if f"`{name}`" not in REFERENCE] == []


def dead_letters() -> Iterator[tuple[str, int]]:
    """Yield the word and the status of every reason to set a record aside."""
    for file in sorted((ROOT / "src/treering/bus").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(func=ast.Name("DeadLetter"), args=[ast.Constant(str(word)), _]):
                    yield word, 400
                case ast.Call(
                    func=ast.Name("DeadLetter"),
                    args=[ast.Constant(str(word)), _, ast.Constant(int(status))],
                ):
                    yield word, status
                case ast.Call(func=ast.Name("_fault"), args=[ast.Constant(str(word)), *_]):
                    yield word, 500
                case _:
                    pass


def test_every_reason_of_a_dead_letter_is_in_the_reference() -> None:
    said = set(dead_letters())
    assert {("too-old", 410), ("rule-failed", 500), ("not-json", 400)} <= said
    rows = sorted(f"| `{word}` | {status} |" for word, status in said)
    assert [row for row in rows if row not in REFERENCE] == []


def test_every_command_is_in_the_reference() -> None:
    names = list(commands(app, "treering"))
    assert "treering dev" in names
    assert [name for name in names if f"`{name}" not in REFERENCE] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_is_in_an_index() -> None:
    indexes = [ROOT / "docs/index.md", ROOT / "docs/decisions/README.md"]
    links = {
        (index.parent / link).resolve()
        for index in indexes
        for link in re.findall(r"\]\(([^)#]+)", index.read_text())
    }
    pages = set((ROOT / "docs").rglob("*.md")) - set(indexes)
    assert sorted(pages - links) == []


def test_the_table_of_features_names_what_is_there() -> None:
    rows = re.findall(r"^\| \d[\d, ]* \|.*$", (ROOT / "docs/features.md").read_text(), re.MULTILINE)
    named = [path for row in rows for path in re.findall(r"`([\w.-]+(?:/[\w./-]+|\.\w+)/?)`", row)]
    assert [path for path in named if not (ROOT / path).exists()] == []
    assert len(rows) > 0


def test_decisions_are_short_and_listed() -> None:
    index = (ROOT / "docs/decisions/README.md").read_text()
    assert [page.name for page in DECISIONS if f"({page.name})" not in index] == []
    assert [page.name for page in DECISIONS if len(page.read_text().splitlines()) > 40] == []
