"""A user's module, imported: what it declares, or where in it the fault is."""

import importlib
import linecache
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType

from treering.entity import Entity
from treering.errors import DeclarationError, TreeringError


def imported(name: str, root: Path) -> ModuleType:
    """Import *name*; raises DeclarationError that says file and line when its code fails."""
    try:
        module = importlib.import_module(name)
    except Exception as error:
        # What a user's module raises can be anything; a person wants to see its line, not ours.
        raise DeclarationError(_located(error, name, root)) from error
    file = module.__file__
    if file is None or not Path(file).is_relative_to(root):
        raise DeclarationError(f"{name} is taken by {file or 'another package'}; rename yours.")
    return module


def declared[T](modules: Iterable[ModuleType], kind: type[T]) -> Sequence[T]:
    """Return the objects of *kind* that are globals of *modules*, each once, in order."""
    found = {
        id(each): each
        for module in modules
        for name, each in vars(module).items()
        if isinstance(each, kind) and not name.startswith("_")
    }
    return list(found.values())


def entities(modules: Iterable[ModuleType]) -> Sequence[type[Entity]]:
    """Return the entities that *modules* themselves define."""
    return [
        each
        for module in modules
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, Entity)
        and each.__module__ == module.__name__
    ]


def _located(error: Exception, name: str, root: Path) -> str:
    """Return *error* in one line, with its place in the user's code and that line."""
    said = str(error) if isinstance(error, TreeringError) else _said(error)
    file, line = _place(error, root)
    if file is None:
        return f"{name}: {said}"
    code = linecache.getline(str(file), line).strip()
    shown = f"\n    {code}" if code else ""
    return f"{file.relative_to(root)}, line {line}: {said}{shown}"


def _said(error: Exception) -> str:
    words = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _place(error: Exception, root: Path) -> tuple[Path | None, int]:
    """Return the innermost place in the user's code that *error* went through."""
    if isinstance(error, SyntaxError) and error.filename:
        file = Path(error.filename)
        if file.is_relative_to(root):
            return file, error.lineno or 1
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.is_relative_to(root) and "site-packages" not in file.parts:
            return file, frame.lineno or 1
    return None, 0
