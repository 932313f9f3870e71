"""What can be asked of one read model: its fields, and which of them for what."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast, get_args

from treering.entity.validation import fault, nearest
from treering.query.kinds import KINDS, Kind, Unreadable, Word
from treering.query.options import Figure, FilterSpec, Operator, SortSpec

type Loc = tuple[str | int, ...]
type Fault = Mapping[str, Any]

OPERATORS: Collection[str] = get_args(Operator.__value__)
_NUMBERS = frozenset[Word]({"integer", "number"})
_SIZED = frozenset[Word]({*_NUMBERS, "text", "moment", "date"})
_MEASURED: Mapping[Figure, Collection[Word]] = {
    "sum": _NUMBERS, "avg": _NUMBERS, "min": _SIZED, "max": _SIZED,
}  # fmt: skip
_LISTS = frozenset({"in", "not_in", "between"})
_TEXTS = frozenset({"like", "ilike", "starts_with"})
_SIDES = frozenset({"gt", "gte", "lt", "lte", "between"})


class Unfit(Exception):
    """One fault; it is listed with the others."""

    def __init__(self, found: Fault) -> None:
        super().__init__(found["msg"])
        self.fault = found


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may be asked at once."""

    filters: int = 10
    sorts: int = 5
    values: int = 100
    """In one `in`."""
    words: int = 20
    """That are searched."""
    depth: int = 5
    """Of groups in groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The fields of a read model, by their names, and what is allowed."""

    words: Mapping[str, Word]
    filterable: Collection[str]
    sortable: Collection[str]
    searchable: Sequence[str] = ()
    """The columns that hold the words that are searched."""
    limits: Limits = field(default_factory=Limits)

    def filter(self, loc: Loc, name: str, operator: str, said: Any, *, spelled: bool) -> FilterSpec:
        """Return the condition that is said in JSON, or *spelled* in an address.

        Raises Unfit.
        """
        kind = self._kind(loc, name)
        if operator not in OPERATORS:
            near = nearest(operator, [*OPERATORS])
            raise Unfit(fault(loc, "unknown_operator", "Unknown operator", operator, near=near))
        if operator not in kind.operators:
            raise Unfit(_unfit(loc, f"{name} is {kind.noun}, and takes", kind.operators))
        try:
            return _Reading(name, kind, self.limits, spelled=spelled).read(
                cast("Operator", operator), said
            )
        except ValueError as error:
            raise Unfit(fault(loc, "wrong_value", str(error), said)) from error

    def sort(self, loc: Loc, name: str, *, descending: bool, nulls: Any) -> SortSpec:
        """Return one step of an order, by a field or by a path into JSON; raises Unfit."""
        head, dot, _ = name.partition(".")
        if head not in self.words:
            raise Unfit(self._unknown(loc, head))
        if head not in self.sortable or (self.words[head] == "json") != bool(dot):
            allowed = [
                f"{each}.…" if self.words[each] == "json" else each for each in self.sortable
            ]
            raise Unfit(_unfit(loc, f"There is no order by {name}, but by", allowed))
        if not all(name.split(".")) or "\0" in name:
            raise Unfit(fault(loc, "no_parts", "A path has a name between its dots", name))
        return SortSpec(name, descending, nulls)

    def shown(self, loc: Loc, names: Sequence[str]) -> Sequence[str]:
        """Return the fields to show, each once; raises Unfit."""
        for name in names:
            if name not in self.words:
                raise Unfit(self._unknown(loc, name))
        return [*dict.fromkeys(names)]

    def grouped(self, loc: Loc, names: Sequence[str], *, lists: bool = False) -> Sequence[str]:
        """Return the fields to gather rows by, with those that hold *lists*; raises Unfit."""
        for name in names:
            kind = self._kind(loc, name)
            if kind.word == "json" and (not lists or name not in self.words):
                allowed = [each for each in self.filterable if self.words[each] != "json"]
                raise Unfit(_unfit(loc, f"Rows are not gathered by {name}, but by", allowed))
        return [*dict.fromkeys(names)]

    def measured(self, loc: Loc, figure: Figure, names: Sequence[str]) -> Sequence[str]:
        """Return the fields of which a figure is told; raises Unfit."""
        fitting = [each for each in self.filterable if self.words[each] in _MEASURED[figure]]
        for name in names:
            self._kind(loc, name)
            if name not in fitting:
                raise Unfit(_unfit(loc, f"There is no {figure} of {name}, but of", fitting))
        return [*dict.fromkeys(names)]

    def _kind(self, loc: Loc, name: str) -> Kind:
        head, dot, _ = name.partition(".")
        if head not in self.words:
            raise Unfit(self._unknown(loc, head))
        if head not in self.filterable:
            raise Unfit(_unfit(loc, f"{head} cannot be asked for, but", self.filterable))
        kind = KINDS[self.words[head]]
        if dot and kind.word != "json":
            raise Unfit(fault(loc, "no_parts", f"{head} is {kind.noun}; it has no parts", name))
        if dot and not all(name.split(".")):
            raise Unfit(fault(loc, "no_parts", "A path has a name between its dots", name))
        if "\0" in name:
            raise Unfit(fault(loc, "no_parts", "No name within JSON holds a NUL", name))
        return kind

    def _unknown(self, loc: Loc, name: str) -> Fault:
        near = nearest(name, [*self.words])
        return fault(loc, "unknown_field", "Unknown field", name, near=near)


def _unfit(loc: Loc, message: str, allowed: Collection[str]) -> Fault:
    listed = ", ".join(sorted(allowed)) or "nothing"
    return fault(loc, "not_allowed", f"{message} {listed}")


class _Reading:
    """Reads what a condition compares a field with."""

    def __init__(self, name: str, kind: Kind, limits: Limits, *, spelled: bool) -> None:
        self._name = name
        self._kind = kind
        self._limits = limits
        self._spelled = spelled

    def read(self, operator: Operator, said: Any) -> FilterSpec:
        """Return the condition; raises ValueError with what is wrong."""
        if operator == "is_null":
            return FilterSpec(self._name, operator, self._truth(said))
        if said is None and operator in ("eq", "ne"):
            return FilterSpec(self._name, "is_null", operator == "eq")
        if operator in _LISTS:
            return self._list(operator, said)
        if self._spelled and self._kind.word == "json" and operator in ("eq", "ne"):
            return self._list("in" if operator == "eq" else "not_in", [said])
        return FilterSpec(self._name, operator, self._one(operator, said))

    def _truth(self, said: object) -> bool:
        kind = KINDS["boolean"]
        return self._value(kind, said)

    def _list(self, operator: Operator, said: Any) -> FilterSpec:
        if self._spelled and isinstance(said, str):
            said = said.split(",")
        if not isinstance(said, list):
            raise Unreadable("Expects a list of values")
        texts = cast("list[Any]", said)
        if operator == "between":
            if len(texts) != 2:
                raise ValueError("Expects two values, the lowest and the highest")
        elif len(texts) > self._limits.values:
            raise ValueError(f"Expects at most {self._limits.values} values")
        values = [self._one(operator, each) for each in texts]
        if self._kind.word == "json":
            if operator == "between":
                _check_alike(values)
            elif self._spelled:
                values = [each for pair in zip(values, texts, strict=True) for each in pair]
        return FilterSpec(self._name, operator, values)

    def _one(self, operator: Operator, said: object) -> Any:
        kind = self._kind
        if operator in _TEXTS or (operator == "contains" and kind.word == "text"):
            kind = KINDS["text"]
        value = self._value(kind, said)
        if operator in ("like", "ilike"):
            _check_pattern(value)
        if operator in _SIDES and kind.word == "json":
            _check_alike([value])
        return value

    def _value(self, kind: Kind, said: object) -> Any:
        try:
            if self._spelled and isinstance(said, str):
                return kind.spelled(said)
            return kind.said(said)
        except ValueError as error:
            raise ValueError(f"Expects {kind.noun}") from error


def _check_pattern(pattern: str) -> None:
    escapes = len(pattern) - len(pattern.rstrip("\\"))
    if escapes % 2:
        raise ValueError("Expects a pattern; a backslash at its end wants another one")


def _check_alike(values: Sequence[object]) -> None:
    """Raise ValueError unless all are numbers or all are texts."""
    kinds = {"text" if isinstance(each, str) else _number(each) for each in values}
    if len(kinds) > 1 or None in kinds:
        raise ValueError("Expects numbers, or texts")


def _number(value: object) -> str | None:
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else None
