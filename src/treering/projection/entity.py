"""The read model that every entity has: its table and its fold, made from the declaration."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    MetaData,
    Table,
    Text,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from treering.entity import (
    Created,
    Deleted,
    Entity,
    Purged,
    Replaced,
    Restored,
    Tagged,
    Untagged,
    Updated,
)  # fmt: skip
from treering.errors import DeclarationError
from treering.message import Recorded, id_of
from treering.projection.change import Change, Patch, Put, Remove, Row
from treering.projection.searching import PREFIX, column_for, index_for
from treering.query.words import searched

ABSENT = "absent"
"""In a column's `info`: None means that the entity has no such field (yet)."""

_SEARCHED = 100_000
"""Characters of a row that are searched; PostgreSQL takes about a million."""
_SAYING = frozenset({"type", "enum", "const", "anyOf", "oneOf", "allOf"})

type _Read = Callable[[str], datetime | date]


def table_of(model: type[Entity], name: str) -> Table:
    """Return the table of the read model called *name*: what all entities have, then the fields.

    Columns that are not shown begin with an underscore, as no field does.
    """
    schema = model.model_json_schema(mode="serialization")
    searched = [column_for(field) for field in sorted(model.declaration.searchable)]
    return Table(
        name.replace("-", "_"),
        MetaData(),
        Column("id", Text, primary_key=True),
        Column("_version", BigInteger, nullable=False),
        Column("_position", BigInteger, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False),
        Column("updated_at", DateTime(timezone=True), nullable=False),
        Column("deleted_at", DateTime(timezone=True), info={ABSENT: True}),
        *(_column(field, schema) for field in model.model_fields),
        *searched,
        *([index_for(searched)] if searched else ()),
    )


def _column(field: str, schema: Mapping[str, Any]) -> Column[Any]:
    if field == "tags":
        return Column(field, JSONB, info={ABSENT: True})
    said = _resolved(schema["properties"][field], schema)
    options = [_resolved(each, schema) for each in said.get("anyOf", [said])]
    kinds = [each for each in options if each.get("type") != "null"]
    may_be_none = len(kinds) < len(options) or any(_takes_none(each) for each in kinds)
    type_ = _type(kinds[0]) if len(kinds) == 1 else JSON()
    return Column(field, type_, info={} if may_be_none else {ABSENT: True})


def _takes_none(said: Mapping[str, Any]) -> bool:
    """Say whether None is one of the values, or whether nothing is said of them."""
    return None in said.get("enum", ()) or _SAYING.isdisjoint(said)


def _resolved(said: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in said:
        return schema["$defs"][said["$ref"].rpartition("/")[2]]
    return said


def _type(said: Mapping[str, Any]) -> TypeEngine[Any]:
    """Return the column's type for what is said of a field; JSON keeps its text and order."""
    match said.get("type"), said.get("format"):
        case "string", "date-time":
            return DateTime(timezone=True)
        case "string", "date":
            return Date()
        case "string", _:
            return Text()
        case "boolean", _:
            return Boolean()
        case "integer", _:
            return BigInteger()
        case "number", _:
            return Double()
        case _:
            return JSON()


class EntityFold:
    """From an entity's events to its row; see `treering.entity.rules.evolve`, which it equals."""

    def __init__(self, table: Table) -> None:
        self._table = table
        shared = {"id", "_version", "_position", "created_at", "updated_at", "deleted_at"}
        self._fields = [column.name for column in table.columns if column.name not in shared]
        self._known = frozenset(self._fields)
        self._moments: Mapping[str, _Read] = {
            name: read
            for name in self._fields
            if (read := _READS.get(type(table.columns[name].type))) is not None
        }
        self._searched = {
            name.removeprefix(PREFIX): name for name in self._fields if name.startswith(PREFIX)
        }
        self._most = _SEARCHED // max(1, len(self._searched))

    def __call__(self, recorded: Recorded[Any]) -> Iterable[Change]:
        """Return the changes that follow from one event."""
        event, named, moment = recorded.event, id_of(recorded.stream), recorded.recorded_at
        now: dict[str, Any] = {
            "_version": recorded.version,
            "_position": recorded.position,
            "updated_at": moment,
        }
        # Types are compared, as `match` would ask each class whether the event is one of it.
        if type(event) is Updated:
            now |= self._columns(event.fields)
            return (Patch(self._table, (named,), now),)
        if type(event) is Created:
            now |= self._columns(event.fields)
            return (Put(self._table, (named,), {"id": named, "created_at": moment, **now}),)
        if type(event) is Purged:
            return (Remove(self._table, (named,)),)
        changes = {**now, **self._changed(event, recorded)}
        calls = type(event) is Tagged or type(event) is Untagged
        return (Patch(self._table, (named,), changes, calls),)

    def _changed(self, event: object, recorded: Recorded[Any]) -> Row:
        match event:
            case Replaced(fields=fields):
                return {**dict.fromkeys(self._fields), **self._columns(fields)}
            case Tagged(tags=tags):
                return {"tags": partial(_with, tags)}
            case Untagged(tags=tags):
                return {"tags": partial(_without, tags)}
            case Deleted():
                return {"deleted_at": recorded.recorded_at}
            case Restored():
                return {"deleted_at": None}
            case _:
                raise DeclarationError(f"{recorded.type} is no event of an entity.")

    def _columns(self, fields: Row) -> Row:
        """Return *fields* as columns; a field that is not declared any more has none."""
        if not self._known.issuperset(fields):
            fields = {name: value for name, value in fields.items() if name in self._known}
        if self._searched:
            words = {
                column: searched(fields[name], self._most)
                for name, column in self._searched.items()
                if name in fields
            }
            fields = {**fields, **words}
        if not self._moments or self._moments.keys().isdisjoint(fields):
            return fields
        read = {
            name: read(fields[name])
            for name, read in self._moments.items()
            if fields.get(name) is not None
        }
        return {**fields, **read}


def _with(tags: list[str], old: list[str]) -> list[str]:
    return [*old, *tags]


def _without(tags: list[str], old: list[str]) -> list[str]:
    return [tag for tag in old if tag not in tags]


def _moment(text: str) -> datetime:
    read = datetime.fromisoformat(text)
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read


_READS: Mapping[type[Any], _Read] = {DateTime: _moment, Date: date.fromisoformat}
