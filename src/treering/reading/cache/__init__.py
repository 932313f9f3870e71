"""The cache of answers: each carries its position, and is good until its rows are heard to differ.

Nothing is ever taken out because of a write: whoever reads knows from which position on an answer
holds, so that one put late, or by another process, harms nobody.
"""

from treering.reading.cache.answers import Answers
from treering.reading.cache.entry import Entry, Row
from treering.reading.cache.memory import Memory
from treering.reading.cache.opening import cache_of
from treering.reading.cache.options import Cache, Shared

__all__ = ["Answers", "Cache", "Entry", "Memory", "Row", "Shared", "cache_of"]
