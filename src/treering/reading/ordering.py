"""The order of rows as SQL: total, and with places in it that one can go on from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    REAL,
    Column,
    ColumnElement,
    Integer,
    Numeric,
    Table,
    Text,
    and_,
    bindparam,
    case,
    cast,
    collate,
    false,
    func,
    literal_column,
    or_,
)
from sqlalchemy.dialects.postgresql import JSONB, array
from sqlalchemy.types import TypeEngine

from treering.errors import BadRequest
from treering.projection.searching import rank
from treering.query import QueryOptions, Shape, SortSpec

_NUMBER = literal_column("'number'", Text)
_KINDS = [
    (literal_column(f"'{word}'", Text), literal_column(str(number), Integer))
    for number, word in enumerate(("number", "string", "boolean", "array", "object"))
]
"""Kinds of JSON in their order; null is none, as is what is not there."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of the order."""

    value: ColumnElement[Any]
    type: TypeEngine[Any]
    is_descending: bool = False
    is_nulls_first: bool = False
    is_nullable: bool = False

    def turned(self) -> "_Step":
        """Return the step the other way round."""
        return _Step(
            self.value, self.type, not self.is_descending, not self.is_nulls_first, self.is_nullable
        )

    def directed(self) -> ColumnElement[Any]:
        """Return what rows are ordered by; None goes where PostgreSQL puts it unless said."""
        directed = self.value.desc() if self.is_descending else self.value.asc()
        if not self.is_nullable or self.is_nulls_first == self.is_descending:
            return directed
        return directed.nulls_first() if self.is_nulls_first else directed.nulls_last()

    def follows(self, name: str) -> ColumnElement[bool]:
        """Return what holds after the value that the parameter *name* says."""
        value = self.said(name)
        found = self.value < value if self.is_descending else self.value > value
        if self.is_nullable and not self.is_nulls_first:
            return or_(found, self.value.is_(None))
        return found

    def said(self, name: str) -> ColumnElement[Any]:
        """Return the parameter *name*, which is a text."""
        return cast(cast(bindparam(name), Text), self.type)


class Ordering:
    """The order that is asked for; the key stands last, so that no two rows are equal.

    What is searched for comes in the order of its rank unless another one is said.
    """

    def __init__(
        self, table: Table, asked: QueryOptions, shape: Shape, *, is_backwards: bool = False
    ) -> None:
        steps: list[_Step] = []
        if asked.search and not asked.sort_by:
            steps.append(_Step(rank(table, shape.searchable), REAL(), is_descending=True))
        for number, each in enumerate(asked.sort_by):
            head, dot, _ = each.field.partition(".")
            column = table.columns[head]
            steps += _path(column, each, f"o{number}") if dot else [_step(column, each)]
        steps += [_step(column, SortSpec(column.name)) for column in table.primary_key.columns]
        self._steps = [each.turned() for each in steps] if is_backwards else steps

    def by(self) -> Sequence[ColumnElement[Any]]:
        """Return what rows are ordered by."""
        return [each.directed() for each in self._steps]

    def place(self) -> ColumnElement[str]:
        """Return a row's place: a JSON array of its values in the order, as texts."""
        texts = [cast(each.value, Text) for each in self._steps]
        return cast(func.to_json(array(texts)), Text)

    def beyond(self, place: Sequence[str | None]) -> ColumnElement[bool]:
        """Return what holds for the rows that follow *place*; its parameters are `k0` and on."""
        if len(place) != len(self._steps):
            raise BadRequest(f"A place in this order has {len(self._steps)} values.")
        found: ColumnElement[bool] = false()
        for number, step in reversed([*enumerate(self._steps)]):
            if place[number] is not None:
                here = step.value == step.said(f"k{number}")
                found = or_(step.follows(f"k{number}"), and_(here, found))
            else:
                after = step.value.is_not(None) if step.is_nulls_first else false()
                found = or_(after, and_(step.value.is_(None), found))
        return found


def paths(order: Sequence[SortSpec]) -> Mapping[str, Sequence[str]]:
    """Return the values of the parameters that are paths into JSON."""
    named = ((f"o{number}", each.field.split(".")[1:]) for number, each in enumerate(order))
    return {name: path for name, path in named if path}


def _path(column: Column[Any], said: SortSpec, name: str) -> Sequence[_Step]:
    """Return the steps by what is at a path: numbers, then texts by code point, then the rest."""
    path = cast(bindparam(name), ARRAY(Text))
    found = cast(column, JSONB).op("#>", return_type=JSONB())(path)
    kind = func.jsonb_typeof(found)
    text = collate(cast(column, JSONB).op("#>>", return_type=Text())(path), "C")
    values = (
        (case(*((kind == word, number) for word, number in _KINDS)), Integer()),
        (case((kind == _NUMBER, cast(text, Numeric))), Numeric()),
        (case((kind != _NUMBER, text)), Text()),
    )
    return [
        _Step(value, type_, said.descending, said.nulls_first, is_nullable=True)
        for value, type_ in values
    ]


def _step(column: Column[Any], said: SortSpec) -> _Step:
    return _Step(
        column, column.type, said.descending, said.nulls_first, column.nullable is not False
    )
