"""The messages every entity has; the stream gives the kind, the declaration the fields."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import msgspec

from treering.message import Command, Event, Message, MessageType

type Fields = dict[str, Any]

_fields = msgspec.json.Decoder(dict[str, Any])
_encode = msgspec.json.Encoder().encode


class FieldsCommand(Command):
    """A command whose body is fields of the entity."""

    fields: Fields


class Create(FieldsCommand):
    """Create the entity with these fields."""


class Update(FieldsCommand):
    """Set these top-level fields; the others stay."""


class Patch(FieldsCommand):
    """Apply a merge patch (RFC 7396)."""


class Replace(FieldsCommand):
    """Set all fields; those not given fall back to their defaults."""


class Delete(Command):
    """Delete the entity; it can be restored."""


class Restore(Command):
    """Bring a deleted entity back."""


class Purge(Command):
    """Remove the entity for ever, with what its events said."""


class Tag(Command):
    """Add tags."""

    tags: list[str]


class Untag(Command):
    """Take tags away."""

    tags: list[str]


class Bulk(Command):
    """Create, update and delete several entities: all of it is done, or nothing."""

    create: list[Fields] = msgspec.field(default_factory=list[Fields])
    """Fields of new entities, each with its `id` or without."""
    update: list[Fields] = msgspec.field(default_factory=list[Fields])
    """Fields to set, each with the `id` of its entity."""
    delete: list[str] = msgspec.field(default_factory=list[str])
    """Ids."""


class FieldsEvent(Event):
    """An event whose body is fields of the entity."""

    fields: Fields


class Created(FieldsEvent):
    """The entity was created with all these fields."""


class Updated(FieldsEvent):
    """These top-level fields have new values."""


class Replaced(FieldsEvent):
    """All fields have these values now."""


class Deleted(Event):
    """The entity was deleted."""


class Restored(Event):
    """The entity came back."""


class Purged(Event, erases=True):
    """The entity is gone for ever."""


class Tagged(Event):
    """These tags were added."""

    tags: list[str]


class Untagged(Event):
    """These tags were taken away."""

    tags: list[str]


COMMANDS: Sequence[type[Command]] = (
    Create, Update, Patch, Replace, Delete, Restore, Purge, Tag, Untag, Bulk,
)  # fmt: skip
EVENTS: Sequence[type[Event]] = (
    Created, Updated, Replaced, Deleted, Restored, Purged, Tagged, Untagged,
)  # fmt: skip


FIELD_WORDS = frozenset(
    body.__name__.lower()
    for body in (*COMMANDS, *EVENTS)
    if issubclass(body, FieldsCommand | FieldsEvent | Bulk)
)
"""The words of messages that say fields: their types have the version of the entity."""
WHOLE_WORDS = frozenset({"create", "created", "replace", "replaced"})
"""The words of those that say all of them."""


def word_of(body: type[Message]) -> str:
    """Return the word that *body* has in type names: `Created` is `created`."""
    return body.__name__.lower()


def type_for(
    name: str, body: type[Message], schema: Callable[[], dict[str, Any]], defaults: Fields
) -> MessageType[Any]:
    """Return the type of *body* called *name*; bodies of fields are those fields alone.

    An event that says all fields was maybe written before some were added: these have *defaults*.
    """
    if not issubclass(body, FieldsCommand | FieldsEvent):
        decode = msgspec.json.Decoder(body).decode
        return MessageType(name=name, body=body, decode=decode, encode=_encode, schema=schema)
    added = defaults if issubclass(body, Created | Replaced) else {}

    def read(raw: bytes | str) -> FieldsCommand | FieldsEvent:
        fields = _fields.decode(raw)
        return body(
            fields=fields if added.keys() <= fields.keys() else {**deepcopy(added), **fields}
        )

    def write(message: FieldsCommand | FieldsEvent) -> bytes:
        return _encode(message.fields)

    return MessageType(name=name, body=body, decode=read, encode=write, schema=schema)
