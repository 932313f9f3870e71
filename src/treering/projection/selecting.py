"""The statements that read: one row, or those that are asked for, as JSON text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    String,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    func,
    null,
    select,
    true,
)  # fmt: skip
from sqlalchemy.dialects.postgresql.asyncpg import PGCompiler_asyncpg, dialect
from sqlalchemy.sql import ClauseElement

from treering.errors import DeclarationError
from treering.projection.conditions import Conditions, said, shape
from treering.projection.showing import literal, shown
from treering.query import QueryOptions, SortSpec, Word

_DIALECT = dialect()
_DELETED = "deleted_at"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, and the names of its parameters in their order."""

    sql: str
    names: Sequence[str]


def one(table: Table, *, include_deleted: bool) -> Statement:
    """Return the statement for the row whose only key column is the parameter `key`."""
    key, *others = table.primary_key.columns
    if others:
        names = ", ".join(column.name for column in table.primary_key.columns)
        raise DeclarationError(f"{table.name} has the key {names}, not an id; list its rows.")
    named = cast(cast(bindparam("key"), Text), Text() if isinstance(key.type, String) else key.type)
    wanted = and_(key == named, _seen(table, include_deleted=include_deleted))
    return _statement(select(shown(table.columns)).where(wanted))


def structure(asked: QueryOptions) -> tuple[Any, ...]:
    """Return what the statement depends on: everything but values."""
    order = tuple(asked.sort_by)
    fields = None if asked.fields is None else tuple(asked.fields)
    return shape(asked.filters), order, fields, asked.count, asked.include_deleted


def values(asked: QueryOptions, words: Mapping[str, Word]) -> Mapping[str, Any]:
    """Return the values of the statement's parameters, by their names."""
    return {"limit": asked.limit, "offset": asked.offset, **said(asked.filters, words)}


def some(table: Table, asked: QueryOptions, words: Mapping[str, Word], folding: str) -> Statement:
    """Return the statement for an array of rows that are *asked* for, and how many there are.

    Its parameters are `limit`, None for all, `offset`, and those of the conditions.
    """
    conditions = Conditions(table, words, folding).all(asked.filters)
    wanted = and_(_seen(table, include_deleted=asked.include_deleted), conditions)
    page = (
        select(shown(_columns(table, asked.fields)).label("shown"))
        .where(wanted)
        .order_by(*_order(table, asked.sort_by))
        .limit(cast(bindparam("limit"), BigInteger))
        .offset(cast(bindparam("offset"), BigInteger))
        .subquery("page")
    )
    array = func.concat(literal("["), func.string_agg(page.c.shown, literal(",")), literal("]"))
    total = select(func.count()).select_from(table).where(wanted).scalar_subquery()
    counted = total if asked.count == "exact" else null()
    return _statement(select(array.label("items"), counted.label("total")).select_from(page))


def _columns(table: Table, fields: Sequence[str] | None) -> Sequence[Column[Any]]:
    if fields is None:
        return [*table.columns]
    return [table.columns[name] for name in fields]


def _order(table: Table, steps: Sequence[SortSpec]) -> Sequence[ColumnElement[Any]]:
    """Return what rows are ordered by; the key stands last, so that no two are equal."""
    ties = [SortSpec(column.name) for column in table.primary_key.columns]
    return [_step(table.columns[each.field], each) for each in (*steps, *ties)]


def _step(column: Column[Any], step: SortSpec) -> ColumnElement[Any]:
    directed = column.desc() if step.descending else column.asc()
    if not column.nullable or step.nulls_first == step.descending:
        return directed
    return directed.nulls_first() if step.nulls_first else directed.nulls_last()


def _seen(table: Table, *, include_deleted: bool) -> ColumnElement[bool]:
    if include_deleted or _DELETED not in table.columns:
        return true()
    return table.columns[_DELETED].is_(None)


def _statement(clause: ClauseElement) -> Statement:
    compiled = PGCompiler_asyncpg(_DIALECT, clause)
    return Statement(str(compiled), compiled.positiontup or ())
