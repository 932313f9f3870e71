"""In which manner a client wants to be answered: the form, its name, and the packing."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from treering.gateway.forms.accepting import FORMS, Choice, Coding, Form, choices, coding

PROBLEM = "application/problem+json"
_ALL: Sequence[Form] = ("json", "msgpack", "csv")
_NESTED: Sequence[Form] = ("json", "msgpack")


@dataclass(frozen=True, slots=True)
class Manner:
    """What a client takes of what we have."""

    choice: Choice | None
    """None if it is nothing."""
    problem: Choice
    """How a problem is told, in any case."""
    coding: Coding | None
    available: Sequence[str]
    """The types that there are."""

    @property
    def is_plain(self) -> bool:
        """Whether the form is the one that answers have anyway."""
        return self.choice == Choice("json", FORMS["json"])

    @property
    def suffix(self) -> str:
        """What ends the tag of what is in this form."""
        return f".{self.choice.form}" if self.choice and self.choice.form != "json" else ""


@lru_cache(256)
def manner(accept: bytes | None, packing: bytes | None, *, is_table: bool) -> Manner:
    """Return what the headers `Accept` and `Accept-Encoding` ask for."""
    offered = _ALL if is_table else _NESTED
    taken = choices(None if accept is None else accept.decode("latin-1"))
    choice = next((each for each in taken if each.form in offered), None)
    is_packed_so = choice is not None and choice.form == "msgpack"
    return Manner(
        choice=choice,
        problem=choice if choice and is_packed_so else Choice("json", PROBLEM),
        coding=None if packing is None else coding(packing.decode("latin-1")),
        available=[FORMS[each] for each in offered],
    )
