"""The command line as one types it, beside a service that runs and beside none."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.docs.running import ROOT, Service, copy, reader
from treering.cli import main


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.out)

    @property
    def lines(self) -> list[str]:
        return [" ".join(line.split()) for line in self.out.splitlines()]


PICKY = """
from sqlalchemy import Column, MetaData, Table, Text

from treering.entity import Created
from treering.projection import projection, put

table = Table("names", MetaData(), Column("id", Text, primary_key=True))


@projection("names", tables=[table], kinds={"station"})
def names(recorded):
    if isinstance(recorded.event, Created):
        assert recorded.event.fields["name"] != "nameless", "it has no name"
        yield put(table, {"id": recorded.stream})
"""
"""A read model that stops at a station called nameless."""

type Treering = Callable[..., Said]


@pytest.fixture
def treering(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Treering:
    """Return what runs one command in this process; imports are paid for once."""
    monkeypatch.setenv("TREERING_APP", "")
    monkeypatch.delenv("TREERING_APP")  # what --app sets is gone after the test

    def run(*words: str) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(words)
        out, err = capsys.readouterr()
        return Said(status=int(ended.value.code or 0), out=out, err=" ".join(err.split()))

    return run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the example's service, in which nothing runs."""
    copy(ROOT / "examples/rainfall", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def _service(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    above = tmp_path_factory.mktemp("rain")
    folder = above / "rainfall"
    copy(ROOT / "examples/rainfall", folder)
    (folder / "projections/names.py").write_text(PICKY)
    with closing(Service(folder, reader(above))):
        yield folder


@pytest.fixture
def rainfall(_service: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the example's service, which runs."""
    monkeypatch.chdir(_service)
    return _service
