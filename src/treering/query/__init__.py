"""The query language: what may be asked of a read model, in every spelling, as one parsed form."""

from treering.query.cursor import read_cursor, written
from treering.query.doubled import doubled
from treering.query.kinds import KINDS, Word, truth
from treering.query.matching import (
    Matches,
    Row,
    conditions_on,
    matching,
    reader_of,
    values_of,
)  # fmt: skip
from treering.query.options import (
    COUNTS,
    Count,
    Cursor,
    Figure,
    Filter,
    FilterSpec,
    Group,
    Grouping,
    QueryOptions,
    SortSpec,
)  # fmt: skip
from treering.query.parsing import FIGURES, LISTED, MATCHING, Parsing
from treering.query.reserved import RESERVED, ReservedName
from treering.query.shape import Limits, Shape
from treering.query.words import searched, words_of

__all__ = [
    "COUNTS",
    "FIGURES",
    "KINDS",
    "LISTED",
    "MATCHING",
    "RESERVED",
    "Count",
    "Cursor",
    "Figure",
    "Filter",
    "FilterSpec",
    "Group",
    "Grouping",
    "Limits",
    "Matches",
    "Parsing",
    "QueryOptions",
    "ReservedName",
    "Row",
    "Shape",
    "SortSpec",
    "Word",
    "conditions_on",
    "doubled",
    "matching",
    "read_cursor",
    "reader_of",
    "searched",
    "truth",
    "values_of",
    "words_of",
    "written",
]
