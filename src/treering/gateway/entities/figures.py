"""Figures of one collection: how many there are, of each group, and of each value."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from treering.entity.validation import fault, invalid
from treering.gateway.entities.questions import ANY, Question, Questions
from treering.gateway.http.query import Parser, one_of, whole
from treering.gateway.http.routes import Routes
from treering.query import FIGURES, MATCHING

_MOST = 1000
"""Groups in one answer."""
_STATS: Mapping[str, Parser] = {**ANY, "count": one_of("exact", "planned")}
_FACETS: Mapping[str, Parser] = {**ANY, "size": whole(1, 100)}
_GROUPS: Mapping[str, Parser] = {**ANY, "size": whole(1, _MOST)}
_FEW = 20
"""Values of a field that are told unless `size` is said."""


class Figures:
    """GET of `$stats`, `$facets` and `$aggregate`; filters and `search` narrow what they tell."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions
        self._name = questions.name
        self._read_models = questions.read_models

    def add_to(self, routes: Routes) -> None:
        """Add the addresses that are read."""
        path = self._questions.collection.path
        routes.add("GET", f"{path}/$stats", self.stats)
        routes.add("GET", f"{path}/$facets", self.facets)
        routes.add("GET", f"{path}/$aggregate", self.aggregate)

    async def stats(self, request: Request) -> Response:
        """Answer with how many match."""
        asked = await self._questions.asked(request, _STATS, MATCHING)
        wanted = asked.options(count=asked.said.get("count", "exact"))
        total = await self._read_models.total(self._name, wanted)
        return _answer(f'{{"total":{total}}}', asked)

    async def facets(self, request: Request) -> Response:
        """Answer with the most frequent values of fields, and how often each is there."""
        asked = await self._questions.asked(request, _FACETS, (*MATCHING, "of"))
        fields = asked.parsing.of
        if not fields:
            word = "Say which fields, as in ?of=tags"
            raise invalid([fault(("query", "of"), "missing", word)])
        wanted = asked.options(limit=asked.said.get("size", _FEW))
        return _answer(await self._read_models.facets(self._name, wanted, fields), asked)

    async def aggregate(self, request: Request) -> Response:
        """Answer with figures of each group, at most as many groups as `size` allows."""
        parts = (*MATCHING, "group_by", *FIGURES)
        asked = await self._questions.asked(request, _GROUPS, parts)
        wanted, grouping = (
            asked.options(limit=asked.said.get("size", _MOST)),
            asked.parsing.grouping,
        )
        return _answer(await self._read_models.groups(self._name, wanted, grouping), asked)


def _answer(text: str, asked: Question) -> Response:
    return Response(text, headers=asked.headers, media_type="application/json")
