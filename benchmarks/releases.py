"""Two releases of one service: the example, and it with a field and a column more."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from treering.app import App, contract, load
from treering.app.released import folder_of
from treering.settings import Settings

_EXAMPLE = Path(__file__).parents[1] / "examples" / "rainfall"
_CHANGES = [
    ("service.py", "    closed: bool = False\n", '    closed: bool = False\n    unit: str = "m"\n'),
    (
        "projections/tanks.py",
        '    Column("moves", BigInteger, nullable=False),\n',
        (
            '    Column("moves", BigInteger, nullable=False),\n'
            '    Column("poured", BigInteger, nullable=False),\n'
        ),
    ),
    ("projections/tanks.py", '"moves": 0}', '"moves": 0, "poured": 0}'),
    (
        "projections/tanks.py",
        '{"litres": -litres, "moves": 1}',
        '{"litres": -litres, "moves": 1, "poured": litres}',
    ),
]
"""What the newer release changes: the file, what stood there, and what stands there now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One release: its application, and the setting that runs it."""

    name: str
    app: App

    @property
    def environment(self) -> Mapping[str, str]:
        """What its processes are told."""
        return {"TREERING_APP": str(self.app.root)}


def releases(folder: Path, environment: Mapping[str, str]) -> tuple[Release, Release]:
    """Make both in *folder*, the older one with its schemas released."""
    older, newer = folder / "older", folder / "newer"
    shutil.copytree(_EXAMPLE, older, ignore=shutil.ignore_patterns(".treering", "__pycache__"))
    before = _release("older", older, environment)
    contract.release(contract.contract(before.app, older / "schemas"), older / "schemas")
    shutil.copytree(older, newer, ignore=shutil.ignore_patterns("__pycache__"))
    for path, old, new in _CHANGES:
        text = (newer / path).read_text()
        if old not in text:
            raise LookupError(f"{path} of the example says no longer {old!r}: change it here too.")
        (newer / path).write_text(text.replace(old, new))
    return before, _release("newer", newer, environment)


def _release(name: str, root: Path, environment: Mapping[str, str]) -> Release:
    app = load(Settings.read({**environment, "TREERING_APP": str(root)}))
    folder = folder_of(app)
    contract.write(contract.contract(app, folder), folder)
    return Release(name=name, app=app)
