"""The SQL that writes one table: a statement for each kind of change, its rows as arrays."""

from typing import Any, Literal

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Integer,
    String,
    Table,
    TableValuedAlias,
    Text,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    select,
    update,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.sql import ClauseElement
from sqlalchemy.types import TypeEngine

from treering.projection.change import key_columns

type Columns = tuple[str, ...]
type Kind = Literal["read", "remove", "put", "patch", "increment"]

_DIALECT = dialect()
_ZERO: ColumnElement[int] = literal_column("0", Integer)


class Statements:
    """SQL for *table*; SQLAlchemy makes it once for each kind of change and set of columns."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._key: Columns = key_columns(table)
        self._all: Columns = tuple(column.name for column in table.columns)
        self._made: dict[tuple[Kind, Columns, Columns], str] = {}

    def text(self, kind: Kind, named: Columns = (), partly: Columns = ()) -> str:
        """Return the statement that does *kind* to rows given as arrays.

        First the arrays of the key, for `put` of all columns; then those of the columns *named*,
        then a flag for each of the columns that only *partly* all rows set.
        """
        asked = (kind, named, partly)
        if asked not in self._made:
            make = {
                "read": self._reading,
                "remove": self._removing,
                "put": self._putting,
                "patch": self._patching,
                "increment": self._incrementing,
            }[kind]
            self._made[asked] = str(make(named, partly).compile(dialect=_DIALECT))
        return self._made[asked]

    def _reading(self, _named: Columns, _partly: Columns) -> ClauseElement:
        said = self._said(self._key, place="place?")
        table = self._table
        return select(said.c["place?"], *table.columns).join_from(said, table, self._same(said))

    def _removing(self, _named: Columns, _partly: Columns) -> ClauseElement:
        said = self._said(self._key)
        return delete(self._table).where(self._same(said))

    def _putting(self, _named: Columns, _partly: Columns) -> ClauseElement:
        said = self._said(self._all)
        made = insert(self._table).from_select(list(self._all), select(*said.c))
        rest = [name for name in self._all if name not in self._key]
        if not rest:
            return made.on_conflict_do_nothing()
        return made.on_conflict_do_update(
            index_elements=self._key, set_={name: made.excluded[name] for name in rest}
        )

    def _patching(self, named: Columns, partly: Columns) -> ClauseElement:
        said, columns = self._said((*self._key, *named), flags=partly), self._table.c
        values: dict[str, ColumnElement[Any]] = {
            name: case((said.c[f"{name}?"], said.c[name]), else_=columns[name])
            if name in partly
            else said.c[name]
            for name in named
        }
        return update(self._table).where(self._same(said)).values(values)

    def _incrementing(self, named: Columns, _partly: Columns) -> ClauseElement:
        all_ = (*self._key, *named)
        said = self._said(all_)
        made = insert(self._table).from_select(list(all_), select(*said.c))
        columns = self._table.c
        return made.on_conflict_do_update(
            index_elements=self._key,
            set_={
                name: case(
                    (made.excluded[name].is_(None), columns[name]),
                    else_=func.coalesce(columns[name], _ZERO) + made.excluded[name],
                )
                for name in named
            },
        )

    def _same(self, said: TableValuedAlias) -> ColumnElement[bool]:
        return and_(*(self._table.c[name] == said.c[name] for name in self._key))

    def _said(
        self, names: Columns, *, flags: Columns = (), place: str | None = None
    ) -> TableValuedAlias:
        """Return the parameters as a table: an array for each of *names*, then for each flag."""
        types = [_parameter(self._table.c[name].type) for name in names]
        types += [Boolean() for _ in flags]
        arrays = [bindparam(f"p{n}", type_=ARRAY(type_)) for n, type_ in enumerate(types)]
        columns = [*names, *(f"{name}?" for name in flags)]
        valued = func.unnest(*arrays).table_valued(*columns, with_ordinality=place)
        return valued.render_derived("said")


def _parameter(type_: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return how values are handed over: a cast to a length would cut them short in silence."""
    return Text() if isinstance(type_, String) else type_
