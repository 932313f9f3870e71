"""The order of rows as SQL: total, and with places in it that one can go on from."""

from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    false,
    func,
    or_,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import array

from treering.errors import BadRequest
from treering.query import SortSpec


class Ordering:
    """The order of *table* that *steps* say; the key stands last, so that no two rows are equal."""

    def __init__(
        self, table: Table, steps: Sequence[SortSpec], *, is_backwards: bool = False
    ) -> None:
        ties = [SortSpec(column.name) for column in table.primary_key.columns]
        self._table = table
        self._steps = [_turned(each) if is_backwards else each for each in (*steps, *ties)]

    def by(self) -> Sequence[ColumnElement[object]]:
        """Return what rows are ordered by."""
        return [self._directed(each) for each in self._steps]

    def place(self) -> ColumnElement[str]:
        """Return a row's place: a JSON array of its values in the order, as texts."""
        texts = [cast(self._table.columns[each.field], Text) for each in self._steps]
        return cast(func.to_json(array(texts)), Text)

    def beyond(self, place: Sequence[str | None]) -> ColumnElement[bool]:
        """Return what holds for the rows that follow *place*; its parameters are `k0` and on."""
        if len(place) != len(self._steps):
            raise BadRequest(f"A place in this order has {len(self._steps)} values.")
        found: ColumnElement[bool] = false()
        for number in reversed(range(len(self._steps))):
            is_there = place[number] is not None
            follows, alike = self._follows(number, is_there=is_there)
            found = or_(follows, and_(alike, found))
        return found

    def _follows(
        self, number: int, *, is_there: bool
    ) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        """Return what holds after the place in this step, and what holds at it."""
        step = self._steps[number]
        column = self._table.columns[step.field]
        if not is_there:
            return (column.is_not(None) if step.nulls_first else false()), column.is_(None)
        value = cast(cast(bindparam(f"k{number}"), Text), column.type)
        follows = column < value if step.descending else column > value
        if column.nullable and not step.nulls_first:
            follows = or_(follows, column.is_(None))
        return follows, column == value

    def _directed(self, step: SortSpec) -> ColumnElement[object]:
        column = self._table.columns[step.field]
        directed = column.desc() if step.descending else column.asc()
        if not column.nullable or step.nulls_first == step.descending:
            return directed
        return directed.nulls_first() if step.nulls_first else directed.nulls_last()


def _turned(step: SortSpec) -> SortSpec:
    return SortSpec(step.field, not step.descending, "last" if step.nulls_first else "first")
