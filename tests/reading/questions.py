"""Questions of every kind in every spelling, and the same as the reference understands them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import msgspec
from hypothesis import strategies as st

from treering.query import Filter, FilterSpec, Group, SortSpec

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

letters = st.text("aAbBéÉ%_\\ '\"ж", max_size=4)
numbers = st.integers(-3, 3)
shares = numbers.map(lambda number: number / 2)
days = st.integers(0, 3).map(lambda number: date(2026, 1, 1) + timedelta(days=number))
moments = st.integers(0, 3).map(lambda number: NOON + timedelta(minutes=number))
scalars = st.none() | st.booleans() | numbers | shares | letters
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xy1"), inner, max_size=2)
    ),
    max_leaves=4,
)
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "name": letters,
    "rows": numbers,
    "share": shares,
    "is_open": st.booleans(),
    "day": days,
    "at": moments,
}
_ALWAYS = ("eq", "ne", "in", "not_in")
_ORDERED = (*_ALWAYS, "gt", "gte", "lt", "lte", "between")


@dataclass
class Question:
    """What is asked, and how it is spelled."""

    filters: list[Filter] = field(default_factory=list[Filter])
    search: str = ""
    sort_by: Sequence[SortSpec] = ()
    parameters: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


@st.composite
def leaves(draw: st.DrawFn, *, spelled: bool) -> tuple[FilterSpec, str, Any]:
    """Return a condition, and its key and value as they are said."""
    name = draw(st.sampled_from([*KINDS, "data", "data.x", "data.x.y", "data.1"]))
    if draw(st.integers(0, 7)) == 0:
        value = draw(st.booleans())
        return FilterSpec(name, "is_null", value), f"{name}[is_null]", _said(value, spelled=spelled)
    if name.startswith("data"):
        return draw(_documents(name, spelled=spelled))
    operators = _ALWAYS if name == "is_open" else _ORDERED
    if name == "name":
        operators = (*operators, "like", "ilike", "contains", "starts_with")
    operator: Any = draw(st.sampled_from(operators))
    values = KINDS[name]
    if operator in ("like", "ilike"):
        values = values.filter(lambda text: (len(text) - len(text.rstrip("\\"))) % 2 == 0)
    if operator in ("in", "not_in", "between"):
        few = 2 if operator == "between" else 1
        value = draw(st.lists(values, min_size=few, max_size=max(2, few)))
    else:
        value = draw(values)
    return (
        FilterSpec(name, operator, value),
        _key(draw, name, operator),
        _said(value, spelled=spelled),
    )


@st.composite
def _documents(draw: st.DrawFn, name: str, *, spelled: bool) -> tuple[FilterSpec, str, Any]:
    operator: Any = draw(st.sampled_from((*_ORDERED, "like", "ilike", "contains", "starts_with")))
    if operator in ("gt", "gte", "lt", "lte", "between"):
        values = draw(st.sampled_from((shares, numbers) if spelled else (shares, letters)))
        value = draw(st.tuples(values, values).map(list) if operator == "between" else values)
        return (
            FilterSpec(name, operator, value),
            f"{name}[{operator}]",
            _said(value, spelled=spelled),
        )
    if operator in ("like", "ilike", "starts_with"):
        value = draw(letters.map(lambda text: text.replace("\\", "")))
        return FilterSpec(name, operator, value), f"{name}[{operator}]", value
    if operator in ("in", "not_in"):
        value = draw(st.lists(numbers if spelled else documents, min_size=1, max_size=2))
        wanted = [*value, *(str(each) for each in value)] if spelled else value
        return (
            FilterSpec(name, operator, wanted),
            f"{name}[{operator}]",
            _said(value, spelled=spelled),
        )
    if not spelled:
        value = draw(documents)
        return FilterSpec(name, operator, value), _key(draw, name, operator), value
    value = draw(documents)
    text = json.dumps(value)
    if operator == "contains":
        return FilterSpec(name, operator, value), f"{name}[contains]", text
    several: Any = "in" if operator == "eq" else "not_in"
    return FilterSpec(name, several, [value, text]), _key(draw, name, operator), text


def _key(draw: st.DrawFn, name: str, operator: str) -> str:
    return name if operator == "eq" and draw(st.booleans()) else f"{name}[{operator}]"


def _said(value: Any, *, spelled: bool) -> Any:
    if isinstance(value, list):
        each = [_said(one, spelled=spelled) for one in cast("list[Any]", value)]
        return ",".join(each) if spelled else each
    if not spelled:
        return json.loads(msgspec.json.encode(value))
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date) else str(value)


@st.composite
def groups(draw: st.DrawFn, depth: int = 2) -> tuple[Filter, str, Any]:
    """Return conditions that are joined, or one alone, as JSON says them."""
    if not depth or draw(st.booleans()):
        return draw(leaves(spelled=False))
    joined: Any = draw(st.sampled_from(("and", "or", "not")))
    parts = draw(
        st.lists(groups(depth - 1), min_size=1, max_size=2, unique_by=lambda part: part[1])
    )
    filters = [part[0] for part in parts]
    if joined == "not":
        return Group("not", filters), "not", {key: value for _, key, value in parts}
    return Group(joined, filters), joined, [{key: value} for _, key, value in parts]


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Return a question in a mixture of spellings."""
    question = Question()
    for spec, key, text in draw(
        st.lists(leaves(spelled=True), max_size=2, unique_by=lambda leaf: leaf[1])
    ):
        question.filters.append(spec)
        question.parameters.append((key, text))
    said = draw(st.lists(groups(), max_size=2, unique_by=lambda part: part[1]))
    if said:
        question.filters += [part[0] for part in said]
        wanted = {key: value for _, key, value in said}
        question.parameters.append(("filter", json.dumps(wanted)))
    question.search = draw(st.sampled_from(("", "", "a", "É", "b ж", "1 é")))
    if question.search:
        question.parameters.append(("search", question.search))
    names = draw(st.lists(st.sampled_from([*KINDS, "data.x", "data.x.y"]), max_size=3, unique=True))
    question.sort_by = [
        SortSpec(name, draw(st.booleans()), draw(st.sampled_from((None, "first", "last"))))
        for name in names
    ]
    if names:
        spelled = [_step(draw, each) for each in question.sort_by]
        question.parameters.append(("sort", ",".join(spelled)))
    return question


def _step(draw: st.DrawFn, step: SortSpec) -> str:
    nulls = f":nulls_{step.nulls}" if step.nulls else ""
    if draw(st.booleans()):
        return f"{step.field}:{'desc' if step.descending else 'asc'}{nulls}"
    return f"{'-' if step.descending else draw(st.sampled_from(('', '+')))}{step.field}{nulls}"
