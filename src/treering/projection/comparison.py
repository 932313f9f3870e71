"""Two builds compared: the same rows, and the same values in the columns that both have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from treering.projection.build import Build, in_schema, plain_name
from treering.sql import statement
from treering.store.connecting import quoted

_MOST = 3
"""Rows that are told of."""
_TOLERANCE = {"double precision": "1e-9", "real": "1e-5"}
"""Of sums of floating point numbers, which depend on how the summands came in batches."""
_LONGEST = 60

type Columns = Mapping[str, Any]
"""What a table's columns are, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How one table of a build differs from that of another one."""

    table: str
    rows: int
    examples: Sequence[str]

    def __str__(self) -> str:
        """Return it as part of a sentence."""
        rows = "1 row" if self.rows == 1 else f"{self.rows:,} rows"
        return f"{rows} of {self.table}, such as {', '.join(self.examples)}"


async def compare(connection: asyncpg.Connection, old: Build, new: Build, schema: str) -> str:
    """Return how *new* differs from *old* in what *connection* sees; nothing if it does not.

    Tables, columns and types that only one of them has are what somebody wanted to change.
    """
    before = {plain_name(table): table for table in old.tables}
    found: list[Difference] = []
    for table in new.tables:
        name = plain_name(table)
        if name in before:
            one, two = in_schema(schema, before[name]), in_schema(schema, table)
            found += await _compared(connection, name, one, two)
    return "; ".join(map(str, found))


async def _compared(
    connection: asyncpg.Connection, name: str, old: str, new: str
) -> list[Difference]:
    """Return how the table called *name* differs; an empty list if it does not."""
    before, after = await _columns(connection, old), await _columns(connection, new)
    keys = [column for column, each in after.items() if each["is_key"]]
    if keys != [column for column, each in before.items() if each["is_key"]]:
        return []
    if any(before[key]["type"] != after[key]["type"] for key in keys):
        return []
    common = {
        column: each["type"]
        for column, each in after.items()
        if column not in keys and column in before and before[column]["type"] == each["type"]
    }
    rows = await connection.fetch(_sql(old, new, keys, common))
    if not rows:
        return []
    examples = [_example(row, keys) for row in rows]
    return [Difference(table=name, rows=rows[0]["number"], examples=examples)]


async def _columns(connection: asyncpg.Connection, table: str) -> Columns:
    """Return the columns of *table*, in order; none if it is not there."""
    return {
        row["name"]: row for row in await connection.fetch(statement("projection_columns"), table)
    }


def _sql(old: str, new: str, keys: Sequence[str], common: Mapping[str, str]) -> str:
    differs = {name: _differs(quoted(name), type_) for name, type_ in common.items()}
    named = [f"case when {test} then {_text(name)} end" for name, test in differs.items()]
    merged = [f"coalesce(old.{key}, new.{key})" for key in map(quoted, keys)]
    return statement("projection_compare").format(
        old=old,
        new=new,
        using=", ".join(map(quoted, keys)),
        first=quoted(keys[0]),
        keys=", ".join(f"{key}::text" for key in merged),
        order=", ".join(merged),
        differing=", ".join(named),
        any=" or ".join(differs.values()) or "false",
        most=_MOST,
    )


def _differs(column: str, type_: str) -> str:
    """Return a condition that is true where the values of *column* differ; never null."""
    old, new = f"old.{column}", f"new.{column}"
    if type_ == "json":
        return f"{old}::text is distinct from {new}::text"
    if type_ not in _TOLERANCE:
        return f"{old} is distinct from {new}"
    near = f"{_TOLERANCE[type_]} * greatest(1, least(abs({old}), abs({new})))"
    return (
        f"case when {old} is not distinct from {new} then false"
        f" when {old} is null or {new} is null then true"
        f" when sign({old}) = sign({new}) then abs({old} - {new}) > {near}"
        f" else greatest(abs({old}), abs({new})) > {_TOLERANCE[type_]} end"
    )


def _example(row: asyncpg.Record, keys: Sequence[str]) -> str:
    said = " ".join(f"{key}={_short(value)}" for key, value in zip(keys, row["keys"], strict=True))
    if row["is_new"]:
        return f"{said} (only in the new one)"
    if row["is_gone"]:
        return f"{said} (only in the old one)"
    return f"{said} ({', '.join(row['columns'])})"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
