"""Patterns of texts, `%` for any text and `_` for any character, matched in linear time.

A pattern is what a stranger says, so no regular expression with `.*` is made of it: such a one can
take for ever.
"""

import re
from collections.abc import Callable, Iterator, Sequence

_TOKEN = re.compile(r"\\.|.", re.DOTALL)


def like(pattern: str) -> Callable[[str], bool]:
    """Return what says whether a text is as *pattern* says; a backslash makes the next one plain.

    like("rain%")("rainfall")
    """
    pieces = [*_pieces(pattern)]
    if len(pieces) == 1:
        (whole,) = pieces
        return lambda text: whole.fullmatch(text) is not None
    first, *middle, last = pieces
    return _Glob(first, middle, last, len(_tokens_after_any(pattern))).matches


class _Glob:
    """A pattern with at least one `%`: pieces that follow each other, with any text between."""

    def __init__(
        self,
        first: re.Pattern[str],
        middle: Sequence[re.Pattern[str]],
        last: re.Pattern[str],
        tail: int,
    ) -> None:
        self._first = first
        self._middle = middle
        self._last = last
        self._tail = tail
        """Characters of the last piece."""

    def matches(self, text: str) -> bool:
        """Say whether *text* has the pieces in their order; the leftmost place of each will do."""
        found = self._first.match(text)
        if found is None:
            return False
        for piece in self._middle:
            if (found := piece.search(text, found.end())) is None:
                return False
        start = len(text) - self._tail
        return start >= found.end() and self._last.fullmatch(text, start) is not None


def _pieces(pattern: str) -> Iterator[re.Pattern[str]]:
    """Yield what stands between the `%` of *pattern*, each of a fixed number of characters."""
    made: list[str] = []
    for each in _TOKEN.findall(pattern):
        if each == "%":
            yield re.compile("".join(made), re.DOTALL)
            made = []
        else:
            made.append("." if each == "_" else re.escape(each[-1]))
    yield re.compile("".join(made), re.DOTALL)


def _tokens_after_any(pattern: str) -> Sequence[str]:
    """Return the characters that follow the last `%`."""
    tokens: list[str] = _TOKEN.findall(pattern)
    return tokens[len(tokens) - tokens[::-1].index("%") :]
