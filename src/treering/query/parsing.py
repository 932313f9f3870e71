"""Reading what is asked: conditions in JSON and in brackets, an order, which fields."""

import re
from collections.abc import Collection, Sequence
from typing import Any, cast

import msgspec

from treering.entity.validation import fault, nearest
from treering.query.cursor import read_cursor
from treering.query.options import Cursor, Filter, Group, Nulls, SortSpec
from treering.query.shape import Fault, Loc, Shape, Unfit
from treering.query.words import words_of

_NAME = re.compile(r"(?P<field>[^\[\]]+)(?:\[(?P<operator>[^\[\]]*)\])?")
_PARTS = ("filter", "search", "sort", "fields", "cursor")
_JOINED = ("and", "or", "not")
_NULLS: dict[str, Nulls] = {"nulls_first": "first", "nulls_last": "last"}


class Parsing:
    """Reads the parts of a question to one read model; faults are listed, none is raised."""

    def __init__(self, shape: Shape, *, reserved: Collection[str] = ()) -> None:
        self._shape = shape
        self._reserved = reserved
        self._said: set[str] = set()
        self._conditions = 0
        self._cursor: str | None = None
        self.filters: list[Filter] = []
        self.search: Sequence[str] = ()
        self.sort_by: Sequence[SortSpec] = ()
        self.fields: Sequence[str] | None = None
        self.cursor: Cursor | None = None
        self.faults: list[Fault] = []

    def parse(self, name: str, text: str) -> None:
        """Read one parameter of an address: `filter`, `sort`, `fields`, or a condition."""
        if name in self._said:
            word = "Said more than once; [in] takes several values"
            self.faults.append(fault(("query", name), "said_twice", word, text))
            return
        self._said.add(name)
        match name:
            case "filter":
                self.parse_filter(text)
            case "search":
                self.parse_search(text)
            case "sort":
                self.parse_sort(text)
            case "fields":
                self.parse_fields(text)
            case "cursor":
                self._cursor = text
            case _:
                self.parse_condition(name, text)

    def finish(self) -> None:
        """Read what depends on the rest, when all else has been read."""
        if self._cursor is None:
            return
        try:
            self.cursor = (
                read_cursor(self._cursor, self.sort_by, self.search) if self._cursor else Cursor()
            )
        except ValueError as error:
            loc = ("query", "cursor")
            self.faults.append(fault(loc, "wrong_parameter", str(error), self._cursor))

    def parse_condition(self, name: str, text: str) -> None:
        """Read a condition from an address: `status=active`, `rows[gte]=10`."""
        loc = ("query", name)
        parts = _NAME.fullmatch(name)
        if parts is None or parts["field"].partition(".")[0] not in self._shape.words:
            near = nearest(name.partition("[")[0], [*_PARTS, *self._reserved, *self._shape.words])
            word = "Unknown parameter"
            self.faults.append(fault(loc, "unknown_parameter", word, text, near=near))
            return
        self._condition(self.filters, loc, parts, text, spelled=True)

    def parse_filter(self, text: str) -> None:
        """Read conditions from JSON: `{"rows[gte]": 10, "or": [{"name": "a"}, {"name": "b"}]}`."""
        loc = ("query", "filter")
        try:
            said = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError) as error:
            self.faults.append(fault(loc, "json_invalid", f"Is no JSON: {error}", text))
            return
        self.filters += self._object(loc, said, self._shape.limits.depth)

    def parse_search(self, text: str) -> None:
        """Read words that are searched."""
        loc = ("query", "search")
        self.search, most = words_of(text), self._shape.limits.words
        if not self._shape.searchable:
            word = "Nothing is searched here; filters such as [ilike] and [contains] are taken"
            self.faults.append(fault(loc, "not_allowed", word, text))
        elif not self.search:
            self.faults.append(fault(loc, "wrong_value", "Expects words", text))
        elif len(self.search) > most:
            self.faults.append(fault(loc, "too_many", f"Expects at most {most} words", text))

    def parse_sort(self, text: str) -> None:
        """Read an order: `-created_at,+name` or `created_at:desc,name:asc`.

        A plus in an address arrives as a space. `:nulls_first` and `:nulls_last` may follow.
        """
        loc = ("query", "sort")
        steps = [self._step(loc, each) for each in text.split(",")]
        found = [each for each in steps if each is not None]
        names = [each.field for each in found]
        if twice := next((each for each in names if names.count(each) > 1), None):
            self.faults.append(fault(loc, "said_twice", f"Sorts by {twice} more than once", text))
        if len(found) > self._shape.limits.sorts:
            most = self._shape.limits.sorts
            self.faults.append(fault(loc, "too_many", f"An order has at most {most} fields", text))
        self.sort_by = found

    def parse_fields(self, text: str) -> None:
        """Read which fields are shown: `id,name`."""
        loc = ("query", "fields")
        try:
            self.fields = self._shape.shown(loc, [each.strip() for each in text.split(",")])
        except Unfit as unfit:
            self.faults.append(unfit.fault)

    def _condition(
        self, into: list[Filter], loc: Loc, parts: re.Match[str], said: Any, *, spelled: bool
    ) -> None:
        self._conditions += 1
        most = self._shape.limits.filters
        if self._conditions > most:
            if self._conditions == most + 1:
                found = fault(loc, "too_many", f"A question has at most {most} conditions")
                self.faults.append(found)
            return
        field, operator = parts["field"], parts["operator"]
        if operator is None:
            operator = "eq"
        try:
            into.append(self._shape.filter(loc, field, operator, said, spelled=spelled))
        except Unfit as unfit:
            self.faults.append(unfit.fault)

    def _object(self, loc: Loc, said: object, deep: int) -> list[Filter]:
        found: list[Filter] = []
        if not isinstance(said, dict):
            word = "Expects an object of conditions"
            self.faults.append(fault(loc, "wrong_value", word, said))
            return found
        for name, value in cast("dict[str, Any]", said).items():
            here = (*loc, name)
            if name in _JOINED:
                found += self._group(here, name, value, deep)
            elif (parts := _NAME.fullmatch(name)) is None:
                self.faults.append(fault(here, "unknown_field", "Unknown field", name))
            else:
                self._condition(found, here, parts, value, spelled=False)
        return found

    def _group(self, loc: Loc, joined: Any, said: Any, deep: int) -> list[Filter]:
        if not deep:
            word = f"Groups stand in each other at most {self._shape.limits.depth} deep"
            self.faults.append(fault(loc, "too_deep", word))
            return []
        if joined == "not":
            return [Group("not", self._object(loc, said, deep - 1))]
        if not isinstance(said, list) or not said:
            self.faults.append(fault(loc, "wrong_value", "Expects a list of objects"))
            return []
        parts = [
            Group("and", self._object((*loc, place), each, deep - 1))
            for place, each in enumerate(cast("list[Any]", said))
        ]
        return [Group(joined, parts)]

    def _step(self, loc: Loc, said: str) -> SortSpec | None:
        name, *words = said.split(":")
        sign, name = ("", name) if name[:1] not in "+- " else (name[:1], name[1:])
        name, directions, nulls = name.strip(), {sign.replace(" ", "")} - {""}, None
        for word in (each.strip().lower() for each in words):
            if word in ("asc", "desc"):
                directions.add("-" if word == "desc" else "+")
            elif word in _NULLS and nulls is None:
                nulls = _NULLS[word]
            else:
                text = "After a field comes :asc or :desc, :nulls_first or :nulls_last"
                self.faults.append(fault(loc, "wrong_parameter", text, said))
                return None
        if len(directions) > 1:
            self.faults.append(fault(loc, "wrong_parameter", "Goes up and down at once", said))
            return None
        try:
            return self._shape.sort(loc, name, descending=directions == {"-"}, nulls=nulls)
        except Unfit as unfit:
            self.faults.append(unfit.fault)
            return None
