"""The wheels that carry the servers: where they lie, or a word on installing them.

They belong to the extra `embedded`. Whoever uses servers that are already there needs none of
them, so nothing here is imported before it is needed. The wheels of PostgreSQL and Java are
only located: importing the former would make folders and lock files of its own.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from treering.errors import ServerError


def folder(package: str) -> Path:
    """Return the folder of an installed *package*, without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise _missing(package)
    return Path(next(iter(spec.submodule_search_locations)))


def module(name: str) -> ModuleType:
    """Import *name*, a module of the extra."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise _missing(name.partition(".")[0]) from error


def release(distribution: str) -> str:
    """Return the version of an installed *distribution*."""
    try:
        return version(distribution)
    except PackageNotFoundError as error:
        raise _missing(distribution) from error


def _missing(name: str) -> ServerError:
    return ServerError(
        f"{name} is not installed: install 'treering[embedded]', or use servers that are already "
        "there with --kafka HOST:PORT and --database URL."
    )
