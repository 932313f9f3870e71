"""Tags of forms: the JSON's own, with what tells the form and the packing apart at its end."""

import re
from collections.abc import Sequence

type Headers = list[tuple[bytes, bytes]]

ASKED = b"if-none-match"
_TAG = re.compile(r'(?:W/)?"(.+?)(\.msgpack|\.csv)?(\.gz|\.br)?"')


def tags_in(headers: Headers) -> Sequence[str]:
    """Return the tags that a request says it has."""
    said = [value.decode("latin-1") for name, value in headers if name == ASKED]
    return [each.strip() for one in said for each in one.split(",")]


def unformed(headers: Headers, tags: Sequence[str], suffix: str) -> Headers:
    """Return the headers with the tags of the JSON instead of those of the form with *suffix*.

    Tags of another form are left out; how something was packed makes no difference.
    """
    found = [each for each in tags if each == "*"]
    matches = [_TAG.fullmatch(each) for each in tags]
    found += [f'"{each[1]}"' for each in matches if each and (each[2] or "") == suffix]
    rest = [each for each in headers if each[0] != ASKED]
    return [*rest, (ASKED, ", ".join(found).encode("latin-1"))]


def formed(tag: str, suffix: str) -> str:
    """Return the tag of what *tag* is in another form, or packed."""
    return f'{tag[:-1]}{suffix}"'


def as_said(tag: str, tags: Sequence[str]) -> str:
    """Return *tag* as the client has said it."""
    for said in tags:
        if (match := _TAG.fullmatch(said)) and f'"{match[1]}"' == tag:
            return said.removeprefix("W/")
    return tag
