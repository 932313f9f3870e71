"""A page: what all of them have, and how text gets into one safely."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path

from starlette.responses import Response

STYLE = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32' fill='none' "
    "stroke='%23a0623a' stroke-width='3'%3E%3Ccircle cx='16' cy='16' r='14'/%3E"
    "%3Ccircle cx='15' cy='16' r='8'/%3E%3Ccircle cx='14.5' cy='16' r='2.5'/%3E%3C/svg%3E"
)
POLICY: Mapping[str, str] = {
    "default-src": "'none'",
    "style-src": f"'sha256-{_HASH}'",
    "img-src": "data:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
"""What a page may load, and who may frame it: nothing and nobody."""


def page(
    title: str,
    body: Iterable[str],
    *,
    head: str = "",
    policy: Mapping[str, str] = POLICY,
) -> Response:
    """Return a page; *body* and *head* are HTML, in which all texts are escaped."""
    text = "\n".join([
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f'<title>{escape(title)}</title>\n<link rel="icon" href="{_ICON}">',
        f"<style>{STYLE}</style>{head}\n</head>\n<body>",
        *body,
        "</body>\n</html>\n",
    ])  # fmt: skip
    said = "; ".join(f"{name} {value}" for name, value in policy.items())
    headers = {
        "Content-Security-Policy": said,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    return Response(text, headers=headers, media_type="text/html")


def link(address: str, words: str) -> str:
    """Return a link."""
    return f'<a href="{escape(address)}">{escape(words)}</a>'


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterable[str]:
    """Yield a table; *heads* are words, each cell of *rows* is HTML.

    The first cell of a row names it; on a narrow screen the head stands beside every other one.
    """
    first, *others = heads
    top = "".join(f'<th scope="col">{escape(each)}</th>' for each in (first, *others))
    yield f"<table>\n<thead><tr>{top}</tr></thead>\n<tbody>"
    for name, *cells in rows:
        told = zip(others, cells, strict=True)
        rest = "".join(f'<td data-head="{escape(each)}">{cell}</td>' for each, cell in told)
        yield f'<tr><th scope="row">{name}</th>{rest}</tr>'
    yield "</tbody>\n</table>"


def state(word: str, *, is_well: bool) -> str:
    """Return a word of how something is, told apart by its colour, too."""
    return f'<span class="{"well" if is_well else "ill"}">{escape(word)}</span>'
