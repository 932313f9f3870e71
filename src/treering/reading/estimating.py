"""What PostgreSQL's planner expects of a question, without the question being answered."""

from typing import Any

import msgspec
from sqlalchemy import Integer, literal_column, select

from treering.query import QueryOptions
from treering.reading.selecting import Source, Statement, compiled, wanted_of


def expected(source: Source, asked: QueryOptions) -> Statement:
    """Return the statement for the plan to find the rows that match, all of them."""
    wanted = wanted_of(source, asked)
    return explained(
        compiled(select(literal_column("1", Integer)).select_from(source.table).where(wanted))
    )


def explained(statement: Statement) -> Statement:
    """Return the statement that plans *statement* and runs nothing."""
    return Statement(f"explain (format json) {statement.sql}", statement.names)


def rows_of(plan: str) -> int:
    """Return how many rows a plan expects."""
    return _top(plan)["Plan Rows"]


def cost_of(plan: str) -> float:
    """Return what a plan costs up to its end, in the planner's own unit."""
    return _top(plan)["Total Cost"]


def _top(plan: str) -> Any:
    (found,) = msgspec.json.decode(plan)
    return found["Plan"]
