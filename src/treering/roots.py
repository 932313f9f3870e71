"""The application roots: the kit's own, always, and the user's, if there is one.

Both are put on the path, so that a leaf is imported by the path one sees: `projections/configs.py`
is `projections.configs`, whichever root it lies in.
"""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from treering.errors import DeclarationError, SettingsError
from treering.settings import Settings

SERVICE = "service.py"
SHARED = ("projections", "workers")
"""Folders that both roots have; they are namespace packages."""
OWN = ("service", "domain")
"""What only a user's root has."""

_entered: list[str] = []
"""What was put on the path for the roots that were entered last."""


def kit_root() -> Path:
    """Return the checkout when running from one, else what the wheel carries."""
    package = Path(__file__).parent
    checkout = package.parents[1]
    is_checkout = package.parent.name == "src" and (checkout / "projections").is_dir()
    return checkout if is_checkout else package / "_app"


def user_root(settings: Settings) -> Path | None:
    """Return the folder with the user's `service.py`; None when there is none.

    Raises SettingsError if a folder was named and has none.
    """
    named = settings.app
    root = (named or Path.cwd()).absolute()
    if named and named.name == SERVICE:
        root = root.parent
    if (root / SERVICE).is_file():
        return root
    if named:
        raise SettingsError(f"{named} holds no {SERVICE}: name the folder of your service.")
    return None


def home_of(settings: Settings) -> Path:
    """Return the folder for servers, data and the secret."""
    if settings.home:
        return settings.home.absolute()
    return (user_root(settings) or Path.cwd()) / ".treering"


def enter(roots: Sequence[Path]) -> None:
    """Make the modules of *roots* importable, the first root first, and forget those of others."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in (*OWN, *SHARED):
            file = getattr(module, "__file__", None)
            if file is None or _file(name, roots) != Path(file):
                del sys.modules[name]
    wanted = [str(root) for root in roots]
    others = [path for path in sys.path if path not in {*wanted, *_entered}]
    _entered[:] = [path for path in wanted if path not in sys.path or path in _entered]
    sys.path[:] = [*wanted, *others]
    importlib.invalidate_caches()


def _file(name: str, roots: Sequence[Path]) -> Path | None:
    """Return the file that the module *name* is to be imported from."""
    path = Path(*name.split("."))
    files = [
        root / end for root in roots for end in (path.with_suffix(".py"), path / "__init__.py")
    ]
    return next((file for file in files if file.is_file()), None)


def modules(root: Path, folder: str) -> Sequence[str]:
    """Return the names of the modules in a folder of *root*, sorted; `_private.py` is none."""
    if folder in SHARED and (root / folder / "__init__.py").exists():
        raise DeclarationError(
            f"{folder}/__init__.py hides the {folder} of treering: remove it, none is needed."
        )
    files = sorted((root / folder).glob("*.py"))
    return [f"{folder}.{file.stem}" for file in files if not file.stem.startswith("_")]
