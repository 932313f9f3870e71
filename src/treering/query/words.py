"""Words as they are searched: small letters without marks, so that Zürich is found by zurich."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import cast

_LONGEST = 200
"""Characters of a word; the rest of a longer one is not searched."""
_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> Sequence[str]:
    """Return the words of *text*, in their order."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(each for each in plain if not unicodedata.combining(each))
    return [word[:_LONGEST] for word in _WORD.findall(bare)]


def searched(value: object, most: int) -> str | None:
    """Return the words of all texts in *value*, up to *most* characters; None if it has none."""
    found = " ".join(word for text in _texts(value) for word in words_of(text[:most]))[:most]
    return found or None


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for each in cast("Sequence[object]", value):
            yield from _texts(each)
    elif isinstance(value, dict):
        for each in cast("dict[str, object]", value).values():
            yield from _texts(each)
