"""What is asked of a read model, said once: by HTTP, on the command line and in Python."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

type Operator = Literal[
    "eq", "ne", "gt", "gte", "lt", "lte", "like", "ilike", "in", "not_in", "is_null", "between",
    "contains", "starts_with",
]  # fmt: skip
type Count = Literal["exact", "planned", "none"]
COUNTS: Sequence[Count] = get_args(Count.__value__)
type Figure = Literal["sum", "avg", "min", "max"]
type Nulls = Literal["first", "last"]
type Filter = "FilterSpec | Group"


@dataclass(frozen=True, slots=True)
class FilterSpec:
    """A condition on one field.

    FilterSpec("rows", "gte", 100)
    """

    field: str
    """A name, or a path into JSON such as `data.n_lags`."""
    operator: Operator = "eq"
    value: Any = None
    """A list of values for `in` and `not_in`, the two ends for `between`."""


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions joined: all of them, any of them, or not all of them.

    Group("or", [FilterSpec("name", "eq", "a"), FilterSpec("rows", "gt", 9)])
    """

    joined: Literal["and", "or", "not"]
    filters: Sequence[Filter]


@dataclass(frozen=True, slots=True)
class SortSpec:
    """One step of an order. None comes last, and first where the step descends, unless said."""

    field: str
    descending: bool = False
    nulls: Nulls | None = None

    @property
    def nulls_first(self) -> bool:
        """Where None comes."""
        return self.descending if self.nulls is None else self.nulls == "first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """The rows that follow a place in the order, or that come before it."""

    place: Sequence[str | None] = ()
    """The values of the row at the place, in the order's fields and its key, as text; or the start.
    """
    is_backwards: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryOptions:
    """Which rows, in which order, and what is shown of them.

    QueryOptions(filters=[FilterSpec("rows", "gte", 100)], sort_by=[SortSpec("name")], limit=20)
    """

    filters: Sequence[Filter] = ()
    """All of them hold for each row."""
    search: Sequence[str] = ()
    """Words that each row has, or ones that begin with them; the best fit comes first."""
    sort_by: Sequence[SortSpec] = ()
    """Rows that are equal in all of it come in the order of their ids."""
    fields: Sequence[str] | None = None
    """What is shown; everything unless said."""
    limit: int | None = None
    offset: int = 0
    cursor: Cursor | None = None
    """From which place on; unlike an offset it stays right while rows come and go."""
    count: Count = "exact"
    """Whether all rows that match are counted, estimated by PostgreSQL's planner, or neither."""
    include_deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """What rows are gathered by, and what is worked out of each group.

    Grouping(group_by=("station",), figures=(("sum", ("rain",)), ("max", ("rain", "wind"))))
    """

    group_by: tuple[str, ...] = ()
    """All rows are one group unless said."""
    figures: tuple[tuple[Figure, tuple[str, ...]], ...] = ()
    """Which figures of which fields; how many rows there are is always told."""
