"""The statements of the store: one a file, named as what it does."""

from functools import cache
from importlib.resources import files

REVISION = "0004"
"""The shape of the store that this release needs; the newest of the migrations."""


@cache
def statement(name: str) -> str:
    """Return the SQL of *name*."""
    return files(__name__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
