"""Figures of the rows that match: how many, of each group, and of each value."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Double,
    Table,
    Text,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from treering.query import Figure, Grouping, QueryOptions
from treering.reading.selecting import Source, Statement, compiled, wanted_of
from treering.reading.showing import array_of, literal, object_of, value_of


def _average(column: ColumnElement[Any]) -> ColumnElement[float]:
    return cast(func.avg(column), Double)


_FUNCTIONS: Mapping[Figure, Any] = {
    "sum": func.sum,
    "avg": _average,
    "min": func.min,
    "max": func.max,
}


def counted(source: Source, asked: QueryOptions) -> Statement:
    """Return the statement for how many rows match."""
    wanted = wanted_of(source, asked)
    return compiled(select(func.count()).select_from(source.table).where(wanted))


def groups(source: Source, asked: QueryOptions, *, grouping: Grouping) -> Statement:
    """Return the statement for an array of groups, in the order of what they are grouped by."""
    table = source.table
    by = {name: table.columns[name] for name in grouping.group_by}
    members: dict[str, ColumnElement[str]] = {"group": _objects(by)} if by else {}
    members["count"] = cast(func.count(), Text)
    for figure, names in grouping.figures:
        make = _FUNCTIONS[figure]
        members[figure] = _objects({name: make(table.columns[name]) for name in names})
    page = (
        select(object_of(members).label("shown"))
        .select_from(table)
        .where(wanted_of(source, asked))
        .group_by(*by.values())
        .order_by(*by.values())
        .limit(cast(bindparam("limit"), BigInteger))
        .offset(cast(bindparam("offset"), BigInteger))
        .subquery("page")
    )
    joined = func.string_agg(page.c.shown, literal(","))
    return compiled(select(array_of(joined)).select_from(page))


def facets(source: Source, asked: QueryOptions, *, fields: Sequence[str]) -> Statement:
    """Return the statement for an object: the most frequent values of each of *fields*."""
    wanted = wanted_of(source, asked)
    found = {name: _facet(source.table, name, wanted) for name in fields}
    return compiled(select(object_of(found)))


def _objects(values: Mapping[str, ColumnElement[Any]]) -> ColumnElement[str]:
    return object_of({name: value_of(value) for name, value in values.items()})


def _facet(table: Table, name: str, wanted: ColumnElement[bool]) -> ColumnElement[str]:
    column = table.columns[name]
    found = select(column.label("value")).where(wanted)
    if isinstance(column.type, JSON):
        elements = func.jsonb_path_query(cast(column, JSONB), literal("$[*]"), type_=JSONB)
        found = select(elements.label("value")).select_from(table).where(wanted)
    each = found.subquery()
    number = func.count()
    members = {"value": value_of(each.c.value), "count": cast(number, Text)}
    page = (
        select(object_of(members).label("shown"))
        .group_by(each.c.value)
        .order_by(number.desc(), each.c.value)
        .limit(cast(bindparam("limit"), BigInteger))
        .subquery()
    )
    joined = func.string_agg(page.c.shown, literal(","))
    return select(array_of(joined)).select_from(page).scalar_subquery()
