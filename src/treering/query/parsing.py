"""Reading what is asked in an address; every fault is listed, none is raised."""

from collections.abc import Callable, Collection, Sequence
from typing import get_args

from treering.entity.validation import fault, nearest
from treering.query.cursor import read_cursor
from treering.query.filters import Filters
from treering.query.options import Cursor, Figure, Filter, Grouping, SortSpec
from treering.query.reserved import RESERVED
from treering.query.shape import Fault, Loc, Shape, Unfit
from treering.query.sorting import read_sort
from treering.query.words import words_of

MATCHING = ("filter", "search")
"""The parts of a question that say which rows match, beside plain conditions."""
LISTED = (*MATCHING, "sort", "fields", "cursor")
"""Those of a list."""
FIGURES: Sequence[Figure] = get_args(Figure.__value__)


class Parsing:
    """Reads the *parts* of a question to one read model; all other parameters are conditions.

    *reserved* are parameters that others read, for suggestions.
    """

    def __init__(
        self, shape: Shape, *, parts: Collection[str] = LISTED, reserved: Collection[str] = ()
    ) -> None:
        self._shape = shape
        self._names = [*parts, *reserved, *shape.words]
        self._readers: dict[str, Callable[[Loc, str], None]] = {
            "filter": self._filter,
            "search": self._search,
            "sort": self._sort,
            "fields": self._fields,
            "cursor": self._begin,
            "of": self._of,
            "group_by": self._group_by,
            **dict.fromkeys(FIGURES, self._figure),
        }
        self._parts = parts
        self._said: set[str] = set()
        self._filters = Filters(shape)
        self._cursor: str | None = None
        self._faults: list[Fault] = []
        self._figures: list[tuple[Figure, tuple[str, ...]]] = []
        self.search: Sequence[str] = ()
        self.sort_by: Sequence[SortSpec] = ()
        self.fields: Sequence[str] | None = None
        self.cursor: Cursor | None = None
        self.of: Sequence[str] = ()
        self.group_by: Sequence[str] = ()

    @property
    def filters(self) -> Sequence[Filter]:
        """The conditions."""
        return self._filters.found

    @property
    def grouping(self) -> Grouping:
        """What rows are gathered by, and the figures of each group."""
        return Grouping(group_by=tuple(self.group_by), figures=tuple(self._figures))

    def parse(self, name: str, text: str) -> None:
        """Read one parameter."""
        loc = ("query", name)
        if name in self._said:
            word = "Said more than once; [in] takes several values"
            self._faults.append(fault(loc, "said_twice", word, text))
            return
        self._said.add(name)
        if name in self._parts:
            self._attempt(self._readers[name], loc, text)
        elif name in RESERVED or not self._filters.add_spelled(name, text):
            near = nearest(name.partition("[")[0], self._names)
            word = "Unknown parameter"
            self._faults.append(fault(loc, "unknown_parameter", word, text, near=near))

    def faults(self) -> Sequence[Fault]:
        """Return what was wrong, when all has been read."""
        if self._cursor is not None:
            self._attempt(self._place, ("query", "cursor"), self._cursor)
        return [*self._faults, *self._filters.faults]

    def _attempt(self, read: Callable[[Loc, str], None], loc: Loc, text: str) -> None:
        try:
            read(loc, text)
        except Unfit as unfit:
            self._faults.append(unfit.fault)

    def _filter(self, _loc: Loc, text: str) -> None:
        self._filters.add_json(text)

    def _search(self, loc: Loc, text: str) -> None:
        self.search, most = words_of(text), self._shape.limits.words
        if not self._shape.searchable:
            word = "Nothing is searched here; filters such as [ilike] and [contains] are taken"
            raise Unfit(fault(loc, "not_allowed", word, text))
        if not self.search:
            raise Unfit(fault(loc, "wrong_value", "Expects words", text))
        if len(self.search) > most:
            raise Unfit(fault(loc, "too_many", f"Expects at most {most} words", text))

    def _sort(self, _loc: Loc, text: str) -> None:
        self.sort_by = read_sort(text, self._shape)

    def _fields(self, loc: Loc, text: str) -> None:
        self.fields = self._shape.shown(loc, _names(text))

    def _begin(self, _loc: Loc, text: str) -> None:
        """Take note of the cursor; whether it fits depends on the order."""
        self._cursor = text

    def _place(self, loc: Loc, text: str) -> None:
        try:
            self.cursor = read_cursor(text, self.sort_by, self.search) if text else Cursor()
        except ValueError as error:
            raise Unfit(fault(loc, "wrong_parameter", str(error), text)) from error

    def _of(self, loc: Loc, text: str) -> None:
        self.of = self._shape.grouped(loc, _names(text), lists=True)

    def _group_by(self, loc: Loc, text: str) -> None:
        self.group_by = self._shape.grouped(loc, _names(text))

    def _figure(self, loc: Loc, text: str) -> None:
        figure: Figure = next(each for each in FIGURES if each == loc[-1])
        self._figures.append((figure, tuple(self._shape.measured(loc, figure, _names(text)))))


def _names(text: str) -> Sequence[str]:
    return [each.strip() for each in text.split(",")]
