"""Reading conditions: spelled in an address, or said in JSON."""

import re
from typing import Any, cast

import msgspec

from treering.entity.validation import fault
from treering.query.doubled import doubled
from treering.query.options import Filter, Group
from treering.query.shape import Fault, Loc, Shape, Unfit

_NAME = re.compile(r"(?P<field>[^\[\]]+)(?:\[(?P<operator>[^\[\]]*)\])?")
_JOINED = ("and", "or", "not")


class Filters:
    """Conditions that all hold; what does not fit is listed among the faults."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._count = 0
        self.found: list[Filter] = []
        self.faults: list[Fault] = []

    def add_spelled(self, name: str, text: str) -> bool:
        """Read `status=active` or `rows[gte]=10`; say whether there is such a field."""
        parts = _NAME.fullmatch(name)
        if parts is None or parts["field"].partition(".")[0] not in self._shape.words:
            return False
        self._condition(self.found, ("query", name), parts, text, spelled=True)
        return True

    def add_json(self, text: str) -> None:
        """Read `{"rows[gte]": 10, "or": [{"name": "a"}, {"name": "b"}]}`."""
        loc = ("query", "filter")
        try:
            said = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError) as error:
            self.faults.append(fault(loc, "json_invalid", f"Is no JSON: {error}", text))
            return
        if (name := doubled(text)) is not None:
            self.faults.append(fault(loc, "said_twice", f"Says {name[:100]!r} twice", text))
            return
        self.found += self._object(loc, said, self._shape.limits.depth)

    def _condition(
        self, into: list[Filter], loc: Loc, parts: re.Match[str], said: Any, *, spelled: bool
    ) -> None:
        self._count += 1
        most = self._shape.limits.filters
        if self._count > most:
            if self._count == most + 1:
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
