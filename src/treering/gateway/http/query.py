"""What stands behind the question mark: each parameter known, said once, and of its form."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from treering.entity.validation import fault, invalid, nearest
from treering.gateway.http.problem import Unreadable
from treering.query import Parsing

type Parser = Callable[[str], Any]
"""From a parameter's text to its value; raises ValueError with what is wrong."""


def parsed(
    raw: bytes, known: Mapping[str, Parser], question: Parsing | None = None
) -> dict[str, Any]:
    """Return the *known* parameters of a query string by name; the rest is the *question*.

    Raises InvalidBody, which lists every fault and a suggestion where a name is near.
    """
    if not raw:
        return {}
    found: dict[str, Any] = {}
    faults: list[Mapping[str, Any]] = []
    for name, text in _pairs(raw):
        loc = ("query", name)
        if (parser := known.get(name)) is None and question is not None:
            question.parse(name, text)
        elif parser is None:
            near = nearest(name, [*known])
            faults.append(fault(loc, "unknown_parameter", "Unknown parameter", text, near=near))
        elif name in found:
            faults.append(fault(loc, "said_twice", "Said more than once", text))
        else:
            try:
                found[name] = parser(text)
            except ValueError as error:
                found[name] = None
                faults.append(fault(loc, "wrong_parameter", str(error), text))
    if question is not None:
        faults += question.faults()
    if faults:
        raise invalid(faults)
    return found


def _pairs(raw: bytes) -> list[tuple[str, str]]:
    """Return names and texts in their order; raises Unreadable unless they are UTF-8."""
    try:
        return parse_qsl(raw.decode("latin-1"), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise Unreadable("What stands behind the question mark is no UTF-8.") from None


def whole(low: int, high: int) -> Parser:
    """Return what reads a whole number from *low* to *high*."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 10):
            raise ValueError("Is no whole number")
        if not low <= int(text) <= high:
            raise ValueError(f"Is a number from {low} to {high}")
        return int(text)

    return parse


def one_of(*words: str) -> Parser:
    """Return what reads one of *words*."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"Is one of {', '.join(words)}")
        return text

    return parse
