"""The query language: what may be asked of a read model, in every spelling, as one parsed form."""

from treering.query.kinds import KINDS, Word, truth
from treering.query.options import Filter, FilterSpec, Group, QueryOptions, SortSpec
from treering.query.parsing import Parsing
from treering.query.shape import Limits, Shape

__all__ = [
    "KINDS",
    "Filter",
    "FilterSpec",
    "Group",
    "Limits",
    "Parsing",
    "QueryOptions",
    "Shape",
    "SortSpec",
    "Word",
    "truth",
]
