"""The statements that read: one row, or those that are asked for, as JSON text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    String,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    null,
    select,
    true,
)  # fmt: skip
from sqlalchemy import table as lightweight
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.dialects.postgresql.asyncpg import PGCompiler_asyncpg, dialect
from sqlalchemy.sql import ClauseElement

from treering.errors import DeclarationError
from treering.message import Position
from treering.projection.build import Build
from treering.projection.searching import asked_words, found
from treering.query import Cursor, QueryOptions, Shape, Word
from treering.reading.conditions import Conditions, said, structure_of
from treering.reading.ordering import Ordering, paths
from treering.reading.showing import array_of, literal, shown

_DIALECT = dialect()
_DELETED = "deleted_at"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, and the names of its parameters in their order."""

    sql: str
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class Source:
    """What statements are made of."""

    table: Table
    """Of the build that is read."""
    shape: Shape
    folding: str
    """The collation that small letters are found with."""
    build: Build

    def position(self) -> ColumnElement[Position]:
        """Return where the build stands, as the same statement sees it."""
        name, build = column("name", Text), column("build", BigInteger)
        position = column("position", BigInteger)
        builds = lightweight("projection", name, build, position, schema=self.table.schema)
        is_it = and_(
            builds.c.name == literal(self.build.name),
            builds.c.build == literal_column(str(self.build.build), BigInteger),
        )
        return select(builds.c.position).where(is_it).scalar_subquery()


def chosen(source: Source, asked: QueryOptions) -> Statement:
    """Return the statement for the rows whose only key column is among the parameter `keys`."""
    table, key = source.table, key_of(source.table)
    keys = func.unnest(cast(bindparam("keys"), ARRAY(Text)))
    named = keys.table_valued("key").render_derived(name="asked")
    id_ = cast(named.c.key, Text() if isinstance(key.type, String) else key.type)
    row = shown(columns_of(table, asked.fields)).label("text")
    version = table.columns.get("_version", null()).label("version")
    return compiled(
        select(named.c.key, row, version)
        .join_from(named, table, key == id_)
        .where(wanted_of(source, asked))
    )


def key_of(table: Table) -> Column[Any]:
    """Return the only column of the key; raises DeclarationError if it has several."""
    key, *others = table.primary_key.columns
    if others:
        names = ", ".join(column.name for column in table.primary_key.columns)
        raise DeclarationError(f"{table.name} has the key {names}, not an id; list its rows.")
    return key


def structure(asked: QueryOptions) -> tuple[Any, ...]:
    """Return what the statement depends on: everything but values."""
    cursor = asked.cursor and (
        asked.cursor.is_backwards,
        tuple(value is None for value in asked.cursor.place),
    )
    fields = None if asked.fields is None else tuple(asked.fields)
    order = tuple(asked.sort_by)
    return (
        structure_of(asked.filters),
        bool(asked.search),
        order,
        cursor,
        fields,
        asked.count,
        asked.include_deleted,
    )


def values(asked: QueryOptions, words: Mapping[str, Word]) -> Mapping[str, Any]:
    """Return the values of the statement's parameters, by their names."""
    place = asked.cursor.place if asked.cursor else ()
    keys = {f"k{number}": value for number, value in enumerate(place)}
    return {
        "limit": asked.limit,
        "offset": asked.offset,
        "s": asked_words(asked.search),
        **keys,
        **paths(asked.sort_by),
        **said(asked.filters, words),
    }


def some(source: Source, asked: QueryOptions) -> Statement:
    """Return the statement for an array of rows that are *asked* for, and how many there are.

    Its parameters are `limit`, None for all, `offset`, and those of the conditions.
    """
    wanted, columns = wanted_of(source, asked), columns_of(source.table, asked.fields)
    page = (
        select(*columns)
        .where(wanted)
        .order_by(*Ordering(source.table, asked, source.shape).by())
        .limit(cast(bindparam("limit"), BigInteger))
        .offset(cast(bindparam("offset"), BigInteger))
        .subquery("page")
    )
    items = array_of(func.string_agg(shown(columns, page), literal(",")))
    total = _total(source.table, wanted, asked)
    told = items.label("items"), total.label("total"), source.position().label("position")
    return compiled(select(*told, func.count().label("rows")).select_from(page))


def stretch(source: Source, asked: QueryOptions) -> Statement:
    """Return the statement for the rows that follow a place in the order, or come before it.

    Besides, it tells whether there are more, and the places of the first row and of the last.
    """
    cursor = asked.cursor or Cursor(place=())
    order = Ordering(source.table, asked, source.shape, is_backwards=cursor.is_backwards)
    wanted = wanted_of(source, asked)
    limit = cast(bindparam("limit"), BigInteger)
    page = (
        select(
            shown(columns_of(source.table, asked.fields)).label("shown"),
            order.place().label("place"),
            func.row_number().over(order_by=order.by()).label("number"),
        )
        .where(and_(wanted, order.beyond(cursor.place)) if cursor.place else wanted)
        .order_by(*order.by())
        .limit(limit + literal_column("1"))
        .subquery("page")
    )
    direction = page.c.number.desc() if cursor.is_backwards else page.c.number.asc()
    joined = func.string_agg(page.c.shown, aggregate_order_by(literal(","), direction))
    places = func.array_agg(aggregate_order_by(page.c.place, direction), type_=ARRAY(Text))
    is_shown = page.c.number <= limit
    return compiled(
        select(
            array_of(joined.filter(is_shown)).label("items"),
            _total(source.table, wanted, asked).label("total"),
            (func.count() > limit).label("is_more"),
            places.filter(is_shown).label("places"),
            source.position().label("position"),
        ).select_from(page)
    )


def wanted_of(source: Source, asked: QueryOptions) -> ColumnElement[bool]:
    """Return what holds for the rows that are asked for."""
    table, shape = source.table, source.shape
    seen = _seen(table, include_deleted=asked.include_deleted)
    has_words = found(table, shape.searchable) if asked.search else true()
    return and_(seen, has_words, Conditions(table, shape.words, source.folding).all(asked.filters))


def _total(table: Table, wanted: ColumnElement[bool], asked: QueryOptions) -> ColumnElement[Any]:
    if asked.count != "exact":
        return null()
    return select(func.count()).select_from(table).where(wanted).scalar_subquery()


def columns_of(table: Table, fields: Sequence[str] | None) -> Sequence[Column[Any]]:
    """Return the columns called *fields*, all unless said."""
    if fields is None:
        return [*table.columns]
    return [table.columns[name] for name in fields]


def _seen(table: Table, *, include_deleted: bool) -> ColumnElement[bool]:
    if include_deleted or _DELETED not in table.columns:
        return true()
    return table.columns[_DELETED].is_(None)


def compiled(clause: ClauseElement) -> Statement:
    """Return *clause* as the driver takes it."""
    made = PGCompiler_asyncpg(_DIALECT, clause)
    return Statement(str(made), made.positiontup or ())
