"""Cells of a sheet: from the text of a value to XML that no program takes for a formula."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

from treering.query import Word

type Cell = Callable[[str], str]
"""From a text, which is not empty, to the XML of a cell."""

EMPTY = "<c/>"
DATE, MOMENT, HEAD = 1, 2, 3
"""The styles of cells, by where the workbook lists them."""
LONGEST = 32_767
"""Characters that a cell holds."""
_CUT = "… (cut off: a cell holds no more)"
_DIGITS = 15
"""Of a number that a spreadsheet keeps."""
_FIRST = date(1899, 12, 30)
_BEGINNING = datetime(1899, 12, 30, tzinfo=UTC)
_OLDEST = date(1900, 3, 1)
"""From here on all programs count days alike."""
_DAY = 86_400
_ILL = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def text(said: str, style: int = 0) -> str:
    """Return a text: one that begins with `=` is a text, too."""
    shown = _bounded(said).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if _ILL.search(shown):
        shown = _ILL.sub(lambda found: f"_x{ord(found[0]):04X}_", shown)
    styled = f' s="{style}"' if style else ""
    return f'<c{styled} t="inlineStr"><is><t xml:space="preserve">{shown}</t></is></c>'


def cell_of(word: Word | None) -> Cell:
    """Return what writes the values of a field of that kind."""
    return text if word is None else _CELLS.get(word, text)


def _number(said: str) -> str:
    """Return a number; a text where a spreadsheet would lose digits of it."""
    if not _NUMBER.fullmatch(said) or (said.lstrip("-").isdigit() and len(said) > _DIGITS):
        return text(said)
    return f"<c><v>{said}</v></c>"


def _truth(said: str) -> str:
    return f'<c t="b"><v>{int(said == "true")}</v></c>'


def _date(said: str) -> str:
    try:
        day = date.fromisoformat(said)
    except ValueError:
        return text(said)
    return text(said) if day < _OLDEST else f'<c s="{DATE}"><v>{(day - _FIRST).days}</v></c>'


def _moment(said: str) -> str:
    """Return a moment, in UTC."""
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        return text(said)
    if moment.date() < _OLDEST:
        return text(said)
    since = moment.replace(tzinfo=UTC) - _BEGINNING
    return f'<c s="{MOMENT}"><v>{since.days + (since.total_seconds() % _DAY) / _DAY:.10f}</v></c>'


def _bounded(said: str) -> str:
    """Return what fits into a cell, whose characters are counted as UTF-16 does."""
    if len(said) * 2 <= LONGEST or len(said.encode("utf-16-le")) <= LONGEST * 2:
        return said
    kept = said.encode("utf-16-le")[: (LONGEST - len(_CUT)) * 2]
    return kept.decode("utf-16-le", errors="ignore") + _CUT


_CELLS: Mapping[Word, Cell] = {
    "integer": _number,
    "number": _number,
    "boolean": _truth,
    "moment": _moment,
    "date": _date,
}
