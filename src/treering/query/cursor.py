"""A place in an order, as a word that says nothing to whoever hands it back."""

import binascii
import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

import msgspec

from treering.query.options import Cursor, SortSpec

_LONGEST = 20_000


def written(cursor: Cursor, order: Sequence[SortSpec], search: Sequence[str] = ()) -> str:
    """Return *cursor* as a word that is good only for this *order*, or what is searched."""
    said = _Said(_mark(order, search), [*cursor.place], cursor.is_backwards)
    return urlsafe_b64encode(msgspec.json.encode(said)).decode().rstrip("=")


def read_cursor(word: str, order: Sequence[SortSpec], search: Sequence[str] = ()) -> Cursor:
    """Return the cursor that *word* says; raises ValueError if it is none of this *order*."""
    try:
        padded = word[:_LONGEST] + "=" * (-len(word) % 4)
        said = msgspec.json.decode(urlsafe_b64decode(padded.encode("ascii")), type=_Said)
    except (ValueError, binascii.Error) as error:
        raise ValueError("Is no cursor that an answer has given") from error
    if said.order != _mark(order, search):
        raise ValueError("Is a cursor of another order; begin again with an empty one")
    return Cursor(place=said.place, is_backwards=said.is_backwards)


class _Said(msgspec.Struct, array_like=True):
    order: str
    place: list[str | None]
    is_backwards: bool


def _mark(order: Sequence[SortSpec], search: Sequence[str]) -> str:
    """Return what tells this order from others; without one it is by the rank."""
    steps = [(each.field, each.descending, each.nulls_first) for each in order]
    return hashlib.sha256(msgspec.json.encode(steps or search)).hexdigest()[:12]
