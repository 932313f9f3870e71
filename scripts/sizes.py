"""Report what grows: files over 250 lines and functions over 30; refuse 400 and 60.

A big file usually holds a second noun, a long function a second thing to do.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FOLDERS = ("src", "projections", "workers", "tests", "examples", "benchmarks", "scripts")
FILE = (250, 400)
FUNCTION = (30, 60)


class Size(NamedTuple):
    """How many lines a file or function has, and how many are reported and refused."""

    name: str
    lines: int
    limits: tuple[int, int]

    @property
    def is_reported(self) -> bool:
        return self.lines > self.limits[0]

    @property
    def is_refused(self) -> bool:
        return self.lines > self.limits[1]


def sizes(root: Path) -> Iterator[Size]:
    """Yield the size of every Python file below *root*'s folders, and of every function in it."""
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*.py")):
            text = file.read_text()
            name = str(file.relative_to(root))
            yield Size(name, text.count("\n"), FILE)
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    lines = (node.end_lineno or node.lineno) - node.lineno + 1
                    yield Size(f"{name}:{node.lineno} {node.name}", lines, FUNCTION)


def main() -> int:
    """Print the report; return how many sizes are refused."""
    reported = [size for size in sizes(Path.cwd()) if size.is_reported]
    for size in sorted(reported, key=lambda size: -size.lines / size.limits[1]):
        print(f"{'too long' if size.is_refused else 'long'}: {size.name} has {size.lines} lines")
    return sum(size.is_refused for size in reported)


if __name__ == "__main__":
    sys.exit(min(main(), 1))
