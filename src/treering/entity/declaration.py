"""How an entity is declared: a pydantic model, and what its kind allows."""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, cast

import msgspec
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from treering.decider import Decider, Ids
from treering.entity.ageing import Deprecated
from treering.entity.bulk import Together
from treering.entity.declared import Declaration, Further, Keys, References, check
from treering.entity.evolution import Change, Upward, upcasts
from treering.entity.holding import holdings
from treering.entity.messages import (
    COMMANDS,
    EVENTS,
    Fields,
    FieldsCommand,
    type_for,
    word_of,
)  # fmt: skip
from treering.entity.naming import kebab, plural_of
from treering.entity.rules import Check, EntityState, Rules, evolve, represent
from treering.entity.serving import SWITCHES
from treering.entity.validation import defaults_of
from treering.errors import DeclarationError
from treering.message import Command, Event, Message, MessageType

type Parent = str | type[Entity] | Decider[Any]
"""What a reference leads to: a kind, by its name or by what declares it."""
type TagName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", max_length=100)]


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
        formerly: Collection[str] | Mapping[str, Deprecated] = (),
        deprecated: Deprecated | None = None,
        cache_control: str | None = None,
        cache: float | None = None,
        served: Collection[str] = SWITCHES,
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
        check(cls.__name__, cls.model_fields, declaration)
        cls.declaration = declaration

    @classmethod
    def command[F: Further](cls, body: type[Command], *, creates: bool = False) -> Callable[[F], F]:
        """Add a command with its decide function; one that *creates* returns `Created`.

        @Dataset.command(Rename)
        def rename(state: EntityState, received: Received[Rename]) -> Sequence[Event]:
            return [Updated(fields={"name": received.command.title})]
        """

        def added(decide: F) -> F:
            cls.declaration.commands[body] = decide
            if creates:
                cls.declaration.creating.add(body)
            return decide

        return added

    @classmethod
    def rule[C: Check](cls, check: C) -> C:
        """Add a rule: whatever the command, it may refuse what would become of the entity.

        @Dataset.rule
        def never_fewer(before: EntityState, after: EntityState, received: Received[Any]) -> None:
            if before.fields and after.fields["rows"] < before.fields["rows"]:
                raise Shrinks(f"{received.stream} would lose rows.")
        """
        cls.declaration.checks.append(check)
        return check

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
        rules = Together(said.kind, said.ids, Rules(cls, said.commands, said.creating, said.checks))
        return Decider(
            kind=said.kind,
            initial=EntityState(),
            decide=rules.decide,
            concerns=rules.concerns,
            evolve=evolve,
            commands=[*(_typed(cls, body, defaults) for body in COMMANDS), *said.commands],
            events=[_typed(cls, body, defaults) for body in EVENTS],
            upcasts=[*upcasts(cls.__name__, said.kind, said.version, said.changes)],
            **holdings(said),
            represent=represent,
            ids=said.ids,
            creates=frozenset(
                {
                    said.type_of("create"),
                    said.type_of("bulk"),
                    *(each.message_type for each in said.creating),
                }
            ),
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
