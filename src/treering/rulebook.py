"""What the kinds of a service demand of its store, in words, and what a stream holds by that."""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from hashlib import blake2b
from typing import Any

import msgspec

from treering.decider import Decider, nothing
from treering.errors import DeclarationError
from treering.message import Stream, Version, kind_of

type Words = frozenset[str]
"""Rules such as `dataset unique name` and `reading references tank in tank`: a kind, and a rule."""

_REFERS = re.compile(r"(\S+) references (\S+) in .+")
_EXISTS = re.compile(r"(\S+) exists .+")
_LONGEST, _SHOWN = 400, 100
"""Characters: no name of a stream has so many, and an index takes no more than some thousand."""


class Reference(msgspec.Struct, frozen=True, order=True, gc=False):
    """A stream that is named by a field of another."""

    parent: Stream
    child: Stream
    field: str


class Holding(msgspec.Struct, frozen=True, gc=False):
    """What a stream holds: unique keys, its own name if others may refer to it, and references."""

    keys: frozenset[str] = frozenset()
    references: frozenset[Reference] = frozenset()


class Rulebook:
    """The rules of all kinds; raises DeclarationError where one names a kind that is not there."""

    def __init__(self, deciders: Mapping[str, Decider[Any]]) -> None:
        self.words: Words = frozenset(
            f"{kind} {rule}" for kind, decider in deciders.items() for rule in decider.rules
        )
        self.digest = digest_of(self.words)
        self._referred = referred(self.words)
        self.bound = bound(self.words)
        """The kinds whose streams hold anything at all."""
        for word in sorted(self.words):
            if (match := _REFERS.fullmatch(word)) and match[2] not in deciders:
                near = get_close_matches(match[2], deciders, n=1)
                hint = f"did you mean {near[0]!r}?" if near else "declare it, or name another."
                raise DeclarationError(f"{word!r}: {match[2]!r} is no kind of this service; {hint}")

    def held(self, stream: Stream, decider: Decider[Any], version: Version, state: Any) -> Holding:
        """Return what *stream* holds at *version*, in *state*."""
        kind = decider.kind
        keys = frozenset(decider.keys(state))
        for key in keys:
            if not key.startswith(f"{kind}."):
                raise DeclarationError(
                    f"{stream} holds {key!r}: start the keys of {kind!r} with '{kind}.'."
                )
        if kind in self._referred and _exists(decider, version, state):
            keys |= {stream}
        if decider.references is nothing:
            return Holding(keys)
        named = frozenset(
            Reference(_short(parent), stream, field) for field, parent in decider.references(state)
        )
        for each in named:
            if kind_of(each.parent) not in self._referred:
                raise DeclarationError(
                    f"{stream} refers to {each.parent}: say 'references {kind_of(each.parent)} in "
                    f"{each.field}' in the rules of {kind!r}."
                )
        return Holding(keys, named)


def digest_of(words: Words) -> str:
    """Return a digest of *words*; of none it is empty."""
    said = "\n".join(sorted(words)).encode()
    return blake2b(said, digest_size=16).hexdigest() if words else ""


def referred(words: Words) -> frozenset[str]:
    """Return the kinds that others refer to: their streams hold their names."""
    return frozenset(match[2] for word in words if (match := _REFERS.fullmatch(word)))


def bound(words: Words) -> frozenset[str]:
    """Return the kinds whose streams hold anything by *words*."""
    return referred(words) | {word.partition(" ")[0] for word in words if not _EXISTS.match(word)}


def changed_kinds(before: Words, after: Words) -> Collection[str]:
    """Return the kinds whose streams may hold something else by the words *after*.

    Those that refer to a kind which is there from another moment on are among them: whom they name
    may be gone by that.
    """
    differ = before ^ after
    own = {word.partition(" ")[0] for word in differ}
    moved = {match[1] for word in differ if (match := _EXISTS.fullmatch(word))}
    refer = {match[1] for word in after if (match := _REFERS.fullmatch(word)) and match[2] in moved}
    return sorted(own | refer | (referred(before) ^ referred(after)))


def _short(parent: Stream) -> Stream:
    """Return *parent*, cut where it is longer than any stream's name, so that none is there."""
    return parent if len(parent) <= _LONGEST else f"{parent[:_SHOWN]}…"


def _exists(decider: Decider[Any], version: Version, state: Any) -> bool:
    return version > 0 if decider.exists is None else decider.exists(state)
