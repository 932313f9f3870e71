"""How an entity is declared: a pydantic model, and what its kind allows."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, cast, get_args

import msgspec
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from treering.decider import Decider, Ids
from treering.entity.evolution import Change, Upward, upcasts
from treering.entity.holding import holdings
from treering.entity.messages import (
    COMMANDS,
    EVENTS,
    FIELD_WORDS,
    Fields,
    FieldsCommand,
    type_for,
    word_of,
)  # fmt: skip
from treering.entity.naming import kebab, plural_of
from treering.entity.rules import EntityState, Rules, evolve, represent
from treering.entity.validation import defaults_of
from treering.errors import DeclarationError
from treering.message import Command, Event, Message, MessageType, Received

type Keys = Collection[str | tuple[str, ...]]
type References = Mapping[str, str]
type Parent = str | type[Entity] | Decider[Any]
"""What a reference leads to: a kind, by its name or by what declares it."""
type Further = Callable[[EntityState, Received[Any]], Sequence[Event]]
type TagName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", max_length=100)]

_KIND = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_PLURAL = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
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
    formerly: Collection[str] = ()
    """Plurals that it had before; its routes answer there too."""
    version: int = 1
    """Of the types of messages that say fields; another one wants an upcast from the one before."""
    commands: dict[type[Command], Further] = field(default_factory=dict[type[Command], Further])
    """Commands added with `Entity.command`."""
    changes: dict[int, Change] = field(default_factory=dict[int, Change])
    """Upcasts added with `Entity.upcast`, by the version that they read."""

    def type_of(self, word: str) -> str:
        """Return the type of messages with that word, such as `dataset.create.v1`."""
        return f"{self.kind}.{word}.v{self.version if word in FIELD_WORDS else 1}"


class Entity(BaseModel):
    """What users declare; commands, events, a read model and routes follow from it.

    class Dataset(Entity, unique={"name"}, sortable={"name", "rows"}):
        name: str
        rows: int

    `kind` and `plural` are made from the class's name unless given.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    declaration: ClassVar[Declaration]

    tags: list[TagName] = Field(default_factory=list[TagName], max_length=50)

    @field_validator("tags")
    @classmethod
    def _tags_differ(cls, tags: list[str]) -> list[str]:
        if len(set(tags)) < len(tags):
            message = "Tags must differ"
            raise ValueError(message)
        return tags

    def __init_subclass__(  # noqa: PLR0913 - the words of a class line
        cls,
        *,
        kind: str | None = None,
        plural: str | None = None,
        ids: Ids = "any",
        unique: Keys = (),
        frees_keys: bool = False,
        references: "Mapping[str, Parent]" = MappingProxyType({}),
        searchable: Collection[str] = (),
        sortable: Collection[str] | None = None,
        filterable: Collection[str] | None = None,
        formerly: Collection[str] = (),
        version: int = 1,
    ) -> None:
        """Take the class line; pydantic hands the same words on once the fields are known."""
        super().__init_subclass__()

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        """Read the class line."""
        kind = options.pop("kind", None) or kebab(cls.__name__)
        plural = options.pop("plural", None) or plural_of(kind)
        options["references"] = _kinds(cls, options.pop("references", {}))
        declaration = Declaration(kind=kind, plural=plural, **options)
        _check(cls, declaration)
        cls.declaration = declaration

    @classmethod
    def command[F: Further](cls, body: type[Command]) -> Callable[[F], F]:
        """Add a command with its decide function.

        @Dataset.command(Rename)
        def rename(state: EntityState, received: Received[Rename]) -> Sequence[Event]:
            return [Updated(fields={"name": received.command.title})]
        """

        def added(decide: F) -> F:
            cls.declaration.commands[body] = decide
            return decide

        return added

    @classmethod
    def upcast[C: Upward](cls, version: int, *, missing: Fields | None = None) -> Callable[[C], C]:
        """Say how fields of an older *version* read as those of the next.

        @Dataset.upcast(1, missing={"unit": "mm"})
        def from_1(fields: Fields) -> Fields:
            return renamed(fields, name="title")

        The function is given the fields of every message of that version, commands and events
        alike, and an update says only some. *missing* is added to those that say all fields and
        lack it.
        """

        def added(change: C) -> C:
            changes = cls.declaration.changes
            if version in changes:
                raise DeclarationError(f"{cls.__name__}: two upcasts read version {version}.")
            changes[version] = Change(change, missing or {})
            return change

        return added

    @classmethod
    def decider(cls) -> Decider[EntityState]:
        """Return the rules of its streams."""
        said = cls.declaration
        defaults = defaults_of(cls)
        return Decider(
            kind=said.kind,
            initial=EntityState(),
            decide=Rules(cls, said.commands).decide,
            evolve=evolve,
            commands=[*(_typed(cls, body, defaults) for body in COMMANDS), *said.commands],
            events=[_typed(cls, body, defaults) for body in EVENTS],
            upcasts=[*upcasts(cls.__name__, said.kind, said.version, said.changes)],
            **holdings(said),
            represent=represent,
            ids=said.ids,
            creates=frozenset({said.type_of("create")}),
        )


def _typed(model: type[Entity], body: type[Message], defaults: Fields) -> MessageType[Any]:
    name = model.declaration.type_of(word_of(body))
    return type_for(name, body, lambda: _schema(model, body), defaults)


def _schema(model: type[Entity], body: type[Message]) -> dict[str, Any]:
    """Return the JSON Schema of a message's body."""
    if "fields" not in body.__struct_fields__:
        return msgspec.json.schema(body)["$defs"][body.__name__]
    schema = model.model_json_schema(
        mode="validation" if issubclass(body, Command) else "serialization"
    )
    word = word_of(body)
    if word in ("update", "patch", "updated"):
        schema.pop("required", None)
    if issubclass(body, FieldsCommand) and word == "create":
        schema["properties"] = {"id": {"type": "string", "title": "Id"}, **schema["properties"]}
    if issubclass(body, Event):
        schema["additionalProperties"] = True
    return schema | {
        "title": f"{model.declaration.kind} {word}",
        "description": (body.__doc__ or "").strip(),
    }


def _kinds(model: type[Entity], said: Any) -> References:
    """Return the kind that each field's reference means."""
    if not isinstance(said, Mapping):
        message = f"{model.__name__}: references is a mapping of fields to kinds: {{'tank': Tank}}."
        raise DeclarationError(message)
    found: dict[str, str] = {}
    for name, parent in cast("Mapping[str, Any]", said).items():
        if isinstance(parent, type) and issubclass(parent, Entity) and parent is not Entity:
            found[name] = parent.declaration.kind
        elif isinstance(parent, str | Decider):
            found[name] = parent if isinstance(parent, str) else parent.kind
        else:
            message = f"{model.__name__}: references say of {name!r} an entity or a kind's name."
            raise DeclarationError(message)
    return found


def _check(model: type[Entity], declaration: Declaration) -> None:
    name, kind = model.__name__, declaration.kind
    if not _KIND.fullmatch(kind):
        raise DeclarationError(f"{name}: {kind!r} is no kind; use lower-case words joined by '-'.")
    if declaration.version < 1:
        raise DeclarationError(f"{name}: version is a number from 1, not {declaration.version}.")
    if declaration.ids not in get_args(Ids.__value__):
        raise DeclarationError(f"{name}: ids is 'any' or 'ulid', not {declaration.ids!r}.")
    if taken := _RESERVED & model.model_fields.keys():
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
    own = model.model_fields.keys()
    for option, keys in said.items():
        if isinstance(keys, str):
            raise DeclarationError(f"{name}: {option} is a set of names: {{{keys!r}}}.")
        known = own if option in ("unique", "references") else own | _RESERVED
        for key in keys if option != "formerly" else ():
            for each in (key,) if isinstance(key, str) else key:
                if each not in known:
                    near = get_close_matches(each, known, n=1)
                    hint = f"; did you mean {near[0]!r}?" if near else "."
                    raise DeclarationError(
                        f"{name}: {option} names {each!r}, which is no field of its own{hint}"
                    )
    _check_formerly(name, declaration)


def _check_formerly(name: str, declaration: Declaration) -> None:
    for each in declaration.formerly:
        if not _PLURAL.fullmatch(each):
            raise DeclarationError(
                f"{name}: {each!r} was no address; formerly names plurals as they stood in paths, "
                "such as 'old-things'."
            )
        if each == declaration.plural:
            raise DeclarationError(f"{name}: formerly names {each!r}, which is its plural today.")
