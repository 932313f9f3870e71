"""Questions that would take too long: refused before they are asked, or given up on the way."""

from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from treering.errors import Refusal
from treering.projection.build import Build, in_schema
from treering.query import Filter, Group, QueryOptions
from treering.reading.estimating import cost_of, explained
from treering.reading.selecting import Statement
from treering.sql import statement

type Fetch = Callable[..., Awaitable[list[Any]]]
type Ask = tuple[str, str]
"""A field, and what is done with it: an operator, or `sort`."""

_KEPT = 1000
_AGAIN = 60.0
"""Seconds until an index, or a plan, is looked at again."""
_LARGE = 8_000_000
"""Bytes of a table below which any question is cheap."""
_ORDERED = frozenset({
    "eq", "in", "gt", "gte", "lt", "lte", "between", "is_null", "like", "starts_with", "sort",
})  # fmt: skip
"""What an ordered index may serve."""


class TooCostly(Refusal, word="too-costly", title="Too costly", status=422):
    """No index serves it, and PostgreSQL expects too much work; `fields` says of what."""


class TooSlow(Refusal, word="too-slow", title="Too slow", status=503):
    """PostgreSQL took too long over it, so that it was given up."""


@dataclass(frozen=True, slots=True)
class _Indexed:
    """What is known of a table until it is looked at again."""

    until: float
    bytes: int
    columns: frozenset[str]


class Guard:
    """Looks at what is asked of large tables, and counts what no index serves.

    A kind of question is looked at once in a while, by its structure; one that is refused, again
    each time, as its values may matter.
    """

    def __init__(self, fetch: Fetch, schema: str, most: float | None) -> None:
        self._fetch = fetch
        self._schema = schema
        self._most = most
        """The planner's cost that is not refused; any, if None."""
        self._tables: dict[tuple[str, int], _Indexed] = {}
        self._passed: dict[Hashable, tuple[float, Sequence[str]]] = {}
        self._unserved: Counter[tuple[str, str]] = Counter()

    async def check(
        self, build: Build, asks: Sequence[Ask], key: Hashable, made: Statement, values: Any
    ) -> None:
        """Raise TooCostly if *made*, of the structure *key*, is expected to take too long."""
        until, unserved = self._passed.get(key, (0.0, ()))
        now = monotonic()
        if now >= until:
            table = await self._table(build, now)
            unserved = _unserved(asks, table.columns)
            if unserved and self._most and table.bytes >= _LARGE:
                await self._check_cost(build, unserved, made, values)
            if len(self._passed) >= _KEPT:
                self._passed.clear()
            self._passed[key] = now + _AGAIN, unserved
        self._count(build.name, unserved)

    def take(self) -> Mapping[str, Mapping[str, int]]:
        """Return how often what no index serves was asked of each read model, and forget it."""
        found: dict[str, dict[str, int]] = {}
        for (name, field), count in self._unserved.items():
            found.setdefault(name, {})[field] = count
        self._unserved.clear()
        return found

    def _count(self, name: str, unserved: Sequence[str]) -> None:
        """Count what was asked for; paths into JSON are the client's, and count as one."""
        for each in unserved:
            column, dot, _ = each.partition(".")
            self._unserved[name, f"{column}.*" if dot else each] += 1

    async def _check_cost(
        self, build: Build, unserved: Sequence[str], made: Statement, values: Any
    ) -> None:
        ((plan,),) = await self._fetch(explained(made).sql, *values)
        cost = cost_of(plan)
        if self._most is None or cost <= self._most:
            return
        self._count(build.name, unserved)
        fields = ", ".join(unserved)
        raise TooCostly(
            f"{build.name} is large and no index serves {fields}, so that this would take too "
            f"long (about {cost:,.0f}, where {self._most:,.0f} is allowed): add a condition on "
            "a field that has an index, such as id; `treering projections advise` says which "
            "indexes would help.",
            fields=[*unserved],
        )

    async def _table(self, build: Build, now: float) -> _Indexed:
        id_ = build.name, build.build
        if (known := self._tables.get(id_)) is None or now >= known.until:
            name = in_schema(self._schema, build.tables[0])
            found = await self._fetch(statement("projection_indexed"), name)
            size, columns = found[0] if found else (0, ())
            known = self._tables[id_] = _Indexed(now + _AGAIN, size, frozenset(columns))
        return known


def asks_of(asked: QueryOptions) -> Sequence[Ask]:
    """Return what is asked that an index could serve, or that makes PostgreSQL look at all rows."""
    return [*_conditions(asked.filters), *((each.field, "sort") for each in asked.sort_by[:1])]


def too_slow(name: str, asks: Sequence[Ask]) -> TooSlow:
    """Return the refusal of what took too long."""
    fields = [*dict.fromkeys(field for field, _ in asks)]
    by = f" by {', '.join(fields)}" if fields else ""
    return TooSlow(
        f"Asking {name}{by} took too long, so it was given up: narrow it by a field that has an "
        "index, such as id, take a smaller page, or leave the count out; `$export` has no such "
        "limit.",
        fields=fields,
    )


def _conditions(filters: Sequence[Filter]) -> Iterator[Ask]:
    for each in filters:
        if isinstance(each, Group):
            yield from _conditions(each.filters)
        else:
            yield each.field, each.operator


def _unserved(asks: Sequence[Ask], columns: frozenset[str]) -> Sequence[str]:
    """Return what no index serves, with the operator where no ordered index ever would.

    An order needs none where a condition has one.
    """
    found: dict[str, None] = {}
    is_narrowed = any(field in columns and what in _ORDERED - {"sort"} for field, what in asks)
    for field, what in asks:
        if what not in _ORDERED:
            found[f"{field}[{what}]"] = None
        elif field not in columns and not (what == "sort" and is_narrowed):
            found[field] = None
    return [*found]
