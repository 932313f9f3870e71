"""What stands beside the API: somebody's ASGI application, or a folder of files."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from treering.errors import DeclarationError

type Application = Callable[[Any, Any, Any], Awaitable[None]]
"""An ASGI application."""

_PATH = re.compile(r"(/[A-Za-z0-9$_-][A-Za-z0-9.$_-]*)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One of them; `service.py` declares as many as it likes.

    shop = Mount(path="/shop", folder="web")
    reports = Mount(path="/reports", app=Starlette(routes=[…]))
    """

    path: str
    """Where it stands; all below it is its own."""
    app: Application | None = None
    """Is given `root_path`, as ASGI has it. Neither lifespan nor websockets reach it."""
    folder: str | Path | None = None
    """Of files, beside `service.py`: `index.html` is shown for itself and for each address that is
    no file, so that a page which has addresses of its own works."""

    def __post_init__(self) -> None:
        """Refuse what would only fail later, far from here."""
        if not _PATH.fullmatch(self.path):
            raise DeclarationError(
                f"Mount: {self.path!r} is no path to stand at; say '/shop', without a slash at "
                "its end."
            )
        if (self.app is None) == (self.folder is None):
            raise DeclarationError(f"Mount {self.path!r}: say either an app or a folder.")
