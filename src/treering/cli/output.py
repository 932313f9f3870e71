"""What commands print: JSON for programs, tables for people, errors to the other stream.

All of it goes through a console, which ends the command quietly once nobody reads any more.
"""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

_PIPE_WIDTH = 200
_width = None if sys.stdout.isatty() else _PIPE_WIDTH
console = Console(highlight=False, soft_wrap=True, width=_width)
_errors = Console(stderr=True, highlight=False, soft_wrap=True)


def complain(text: str) -> None:
    """Say what went wrong."""
    _errors.print(f"[bold red]Error:[/bold red] {escape(text)}")


def warn(text: str) -> None:
    """Say what is to be known, where no program reads it."""
    _errors.print(f"[bold yellow]Note:[/bold yellow] {escape(text)}")


def say(text: str) -> None:
    """Print one line."""
    console.print(escape(text))


def show(found: Any) -> None:
    """Print *found* as JSON: coloured for a person, plain for a pipe."""
    text = msgspec.json.format(msgspec.json.encode(found), indent=2).decode()
    if console.is_terminal:
        console.print_json(text)
    else:
        console.out(text, highlight=False)


def show_line(found: Any) -> None:
    """Print *found* as one line of JSON."""
    console.out(msgspec.json.encode(found).decode(), highlight=False)


def table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table."""
    made = Table(box=None, pad_edge=False, header_style="bold", show_header=any(names))
    for name in names:
        made.add_column(name, overflow="fold")
    for row in rows:
        made.add_row(*(escape(str(each)) for each in row))
    console.print(made)
