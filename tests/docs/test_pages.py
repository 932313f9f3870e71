"""Every page of the documentation does what it says, read from top to bottom."""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.docs.page import Step, fits, steps
from tests.docs.running import ROOT, Prompt, Service, copy, reader

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
HTTP = "127.0.0.1:8000"


class Reader:
    """Someone who does what a page says, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "my-service"
        self.folder.mkdir()
        self.environment = reader(folder)
        self.prompts: dict[str, Prompt] = {}
        self.open = ExitStack()

    def does(self, step: Step) -> None:
        if step.verb == "file":
            file = self.folder / step.name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(step.text)
        elif step.verb == "service":
            self._start(step.name)
        else:
            said = self._prompt(step.verb).run(self._here(step.text))
            for shown in map(self._here, step.shows):
                assert fits(shown, said), f"Expected:\n{shown}\nbut it says:\n{said}"

    def _start(self, said: str) -> None:
        name, *options = said.split()
        if name != ".":
            copy(ROOT / name, self.folder)
        service = Service(self.folder, self.environment, *options)
        self.open.enter_context(closing(service))
        self.environment["HTTP"] = service.http

    def _prompt(self, language: str) -> Prompt:
        if language not in self.prompts:
            prompt = Prompt(language, self.folder, self._exported())
            self.prompts[language] = self.open.enter_context(closing(prompt))
        return self.prompts[language]

    def _exported(self) -> dict[str, str]:
        """Return what a program sees that is started from the page's shell, if it has one."""
        if "bash" not in self.prompts:
            return self.environment
        show = "python -c 'import json, os; print(json.dumps(dict(os.environ)))'"
        return json.loads(self.prompts["bash"].run(show))

    def _here(self, text: str) -> str:
        """The page says port 8000; the service has a free one."""
        return text.replace(HTTP, self.environment.get("HTTP", HTTP))


@pytest.fixture
def someone(tmp_path: Path) -> Iterator[Reader]:
    someone = Reader(tmp_path)
    with someone.open:
        yield someone


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "page",
    [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES if steps(page)],
)
def test_a_page_does_what_it_says(page: Path, someone: Reader) -> None:
    todo = steps(page)
    if any("kcat" in step.text for step in todo) and not shutil.which("kcat"):
        pytest.skip("kcat is not installed")
    for step in todo:
        try:
            someone.does(step)
        except AssertionError as fault:
            fault.add_note(f"in {page.relative_to(ROOT)}, line {step.line}")
            raise


def test_what_a_page_shows_may_leave_things_out() -> None:
    assert fits('{"id": "…", "n":\n  3}', '{"id": "01J", "n": 3}\n')
    assert fits("first … last", "first\nand more\nlast")
    assert not fits("first … last", "first and more")
    assert not fits('{"n": 3}', '{"n": 4}')


def test_a_console_block_is_its_commands_and_what_they_print(someone: Reader) -> None:
    page = someone.folder / "page.md"
    page.write_text("```console\n$ a=1\n$ echo $a \\\n  two\n1 two\n```\n")
    for step in steps(page):
        someone.does(step)
    page.write_text("```bash\necho one\n```\n\n```text\ntwo\n```\n")
    with pytest.raises(AssertionError, match=r"it says:\s+one"):
        someone.does(steps(page)[0])
