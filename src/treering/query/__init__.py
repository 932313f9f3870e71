"""The query language: what may be asked of a read model, in every spelling, as one parsed form."""

from treering.query.cursor import read_cursor, written
from treering.query.kinds import KINDS, Word, truth
from treering.query.options import Cursor, Filter, FilterSpec, Group, QueryOptions, SortSpec
from treering.query.parsing import Parsing
from treering.query.shape import Limits, Shape
from treering.query.words import searched, words_of

__all__ = [
    "KINDS",
    "Cursor",
    "Filter",
    "FilterSpec",
    "Group",
    "Limits",
    "Parsing",
    "QueryOptions",
    "Shape",
    "SortSpec",
    "Word",
    "read_cursor",
    "searched",
    "truth",
    "words_of",
    "written",
]
