"""What a read model's version is made of: tables, the fold's module, upcasts, the kit's revision.

Comments, layout and docstrings do not count.
"""

import ast
import hashlib
import inspect
import marshal
from collections.abc import Iterable
from textwrap import dedent
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from treering.upcast import Upcast

REVISION = 1
"""Grows when the kit folds or stores rows otherwise: every read model is then built anew."""

_DIALECT = dialect()
_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def fingerprint(tables: Iterable[Table], fold: object, upcasts: Iterable[Upcast] = ()) -> str:
    """Return the fingerprint of a read model, 16 hexadecimal digits.

    *upcasts* say how its events are read: where they differ so may its rows.
    """
    said = [str(REVISION), _source(fold)]
    said += [f"{each.old} {each.new} {each.more} {_function(each)}" for each in upcasts]
    for table in tables:
        said.append(str(CreateTable(table).compile(dialect=_DIALECT)))
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        said += [str(CreateIndex(index).compile(dialect=_DIALECT)) for index in indexes]
    return hashlib.blake2b("\0".join(said).encode(), digest_size=8).hexdigest()


def _source(fold: object) -> str:
    """Return the code that *fold* stands in; that of the kit's own folds is the revision."""
    owner = fold if inspect.isroutine(fold) else type(fold)
    module = inspect.getmodule(owner)
    if module is not None and module.__name__.startswith("treering."):
        return module.__name__
    try:
        tree = ast.parse(inspect.getsource(module if module is not None else owner))
    except (OSError, TypeError):
        return _compiled(fold)
    return ast.unparse(_Undocumented().visit(tree))


def _function(upcast: Upcast) -> str:
    """Return the code of an upcast alone: the module around it is changed for many reasons."""
    function = upcast.written or upcast.change
    try:
        tree = ast.parse(dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return _compiled(function)
    return ast.unparse(_Undocumented().visit(tree))


def _compiled(fold: object) -> str:
    """Return the code of a fold that has no file, such as one typed into a prompt."""
    code = getattr(fold, "__code__", None)
    return marshal.dumps(code).hex() if code else type(fold).__qualname__


class _Undocumented(ast.NodeTransformer):
    """Takes docstrings out."""

    def visit(self, node: ast.AST) -> Any:
        self.generic_visit(node)
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        return node
