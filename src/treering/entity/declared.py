"""What the class line of an entity says, and what it may not say."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, get_args

from treering.decider import Ids
from treering.entity.ageing import Deprecated
from treering.entity.evolution import Change
from treering.entity.messages import FIELD_WORDS, Tag, Untag, word_of
from treering.entity.operation import Operation, operations
from treering.entity.rules import Check, EntityState
from treering.entity.serving import SWITCHES
from treering.errors import DeclarationError
from treering.message import Command, Event, Received

type Keys = Collection[str | tuple[str, ...]]
type References = Mapping[str, str]
type Further = Callable[[EntityState, Received[Any]], Sequence[Event]]

_KIND = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_PLURAL = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_DIRECTIVES = re.compile(r"[a-z-]+(=[0-9]{1,10})?(, *[a-z-]+(=[0-9]{1,10})?)*")
_RESERVED = {"id", "created_at", "updated_at", "deleted_at"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What the class line of an entity says."""

    kind: str
    """Lower-case kebab; streams, topics and message types begin with it."""
    plural: str
    """Its read model's and its routes' name."""
    ids: Ids = "any"
    """Whether clients may choose any id or ULIDs only."""
    unique: Keys = ()
    """Fields, or groups of fields, of which no two entities share the values."""
    frees_keys: bool = False
    """Whether a deleted entity gives its unique keys up."""
    references: References = field(default_factory=dict[str, str])
    """Fields that hold ids of other entities, and the kinds of these."""
    searchable: Collection[str] = ()
    sortable: Collection[str] | None = None
    """Fields that lists may be ordered by; all unless said."""
    filterable: Collection[str] | None = None
    """Fields that may be asked for; all unless said."""
    formerly: Collection[str] | Mapping[str, Deprecated] = ()
    """Plurals that it had before, and until when; its routes answer there too."""
    deprecated: Deprecated | None = None
    """Whether nobody should begin with it."""
    cache_control: str | None = None
    """What answers about it say in that header; that they are to be asked for again unless said."""
    cache: float | None = None
    """Seconds that answers about it may be kept; 0: never."""
    served: Collection[str] = SWITCHES
    """Which of list, read, create, update and delete are served over HTTP."""
    version: int = 1
    """Of the types of messages that say fields; another one wants an upcast from the one before."""
    commands: dict[type[Command], Further] = field(default_factory=dict[type[Command], Further])
    """Commands added with `Entity.command`."""
    creating: set[type[Command]] = field(default_factory=set[type[Command]])
    """Those of them that make a new entity."""
    checks: list[Check] = field(default_factory=list[Check])
    """Rules added with `Entity.rule`."""
    changes: dict[int, Change] = field(default_factory=dict[int, Change])
    """Upcasts added with `Entity.upcast`, by the version that they read."""

    @property
    def operations(self) -> Sequence[Operation]:
        """What is asked for over HTTP under a word of its own: tags, and its further commands."""
        tags = [
            Operation(word=word_of(e), name=self.type_of(word_of(e)), body=e) for e in (Tag, Untag)
        ]
        return [*tags, *operations(self.commands, self.creating)]

    @property
    def creates(self) -> frozenset[str]:
        """The types of commands that may come without a subject."""
        own = (each.message_type for each in self.creating)
        return frozenset({self.type_of("create"), self.type_of("bulk"), *own})

    def type_of(self, word: str) -> str:
        """Return the type of messages with that word, such as `dataset.create.v1`."""
        return f"{self.kind}.{word}.v{self.version if word in FIELD_WORDS else 1}"


def check(name: str, own: Collection[str], declaration: Declaration) -> None:
    """Raise DeclarationError unless entity *name*, with its *own* fields, may be declared so."""
    kind = declaration.kind
    if not _KIND.fullmatch(kind):
        raise DeclarationError(f"{name}: {kind!r} is no kind; use lower-case words joined by '-'.")
    if declaration.version < 1:
        raise DeclarationError(f"{name}: version is a number from 1, not {declaration.version}.")
    if declaration.ids not in get_args(Ids.__value__):
        raise DeclarationError(f"{name}: ids is 'any' or 'ulid', not {declaration.ids!r}.")
    _check_served(name, declaration)
    if taken := _RESERVED.intersection(own):
        raise DeclarationError(
            f"{name}: {', '.join(sorted(taken))} is there already; rename the field."
        )
    said: Mapping[str, Keys | References] = {
        "unique": declaration.unique,
        "references": declaration.references,
        "searchable": declaration.searchable,
        "sortable": declaration.sortable or (),
        "filterable": declaration.filterable or (),
        "formerly": declaration.formerly,
    }
    for option, keys in said.items():
        if isinstance(keys, str):
            raise DeclarationError(f"{name}: {option} is a set of names: {{{keys!r}}}.")
        known = {*own} if option in ("unique", "references") else {*own} | _RESERVED
        for key in keys if option != "formerly" else ():
            for each in (key,) if isinstance(key, str) else key:
                if each not in known:
                    near = get_close_matches(each, sorted(known), n=1)
                    hint = f"; did you mean {near[0]!r}?" if near else "."
                    raise DeclarationError(
                        f"{name}: {option} names {each!r}, which is no field of its own{hint}"
                    )
    _check_formerly(name, declaration)
    _check_policies(name, declaration)


def _check_policies(name: str, declaration: Declaration) -> None:
    said = declaration.cache_control
    if said is not None and not _DIRECTIVES.fullmatch(said):
        raise DeclarationError(
            f"{name}: {said!r} is no Cache-Control; 'private, max-age=60', for instance."
        )
    former = declaration.formerly
    ages: list[object] = [*former.values()] if isinstance(former, Mapping) else []
    for each in (*ages, declaration.deprecated):
        if each is not None and not isinstance(each, Deprecated):
            raise DeclarationError(
                f"{name}: {each!r} does not say since when; Deprecated(since=…), from treering."
            )


def _check_formerly(name: str, declaration: Declaration) -> None:
    for each in declaration.formerly:
        if not _PLURAL.fullmatch(each):
            raise DeclarationError(
                f"{name}: {each!r} was no address; formerly names plurals as they stood in paths, "
                "such as 'old-things'."
            )
        if each == declaration.plural:
            raise DeclarationError(f"{name}: formerly names {each!r}, which is its plural today.")


def _check_served(name: str, declaration: Declaration) -> None:
    if unknown := sorted({*declaration.served} - SWITCHES):
        raise DeclarationError(
            f"{name}: served names {unknown[0]!r}; say some of {', '.join(sorted(SWITCHES))}."
        )
