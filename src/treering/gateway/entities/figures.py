"""Figures of one collection: how many there are, of each group, and of each value."""

from collections.abc import Mapping
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from treering.entity.validation import fault, invalid
from treering.gateway.collection import Collection
from treering.gateway.freshness import Freshness
from treering.gateway.http.query import Parser, parsed, whole
from treering.gateway.http.routes import Routes
from treering.query import FIGURES, MATCHING, Parsing, QueryOptions, truth
from treering.reading import ReadModels

_MOST = 1000
"""Groups in one answer."""
_PLAIN: Mapping[str, Parser] = {"include_deleted": truth, "min_position": str}
_FACETS: Mapping[str, Parser] = {**_PLAIN, "size": whole(1, 100)}
_GROUPS: Mapping[str, Parser] = {**_PLAIN, "size": whole(1, _MOST)}
_FEW = 20
"""Values of a field that are told unless `size` is said."""


class Figures:
    """GET of `$stats`, `$facets` and `$aggregate`; filters and `search` narrow what they tell."""

    def __init__(
        self, collection: Collection, read_models: ReadModels, freshness: Freshness
    ) -> None:
        self._collection = collection
        self._read_models = read_models
        self._freshness = freshness

    def add_to(self, routes: Routes) -> None:
        """Add the addresses that are read."""
        path = self._collection.path
        routes.add("GET", f"{path}/$stats", self.stats)
        routes.add("GET", f"{path}/$facets", self.facets)
        routes.add("GET", f"{path}/$aggregate", self.aggregate)

    async def stats(self, request: Request) -> Response:
        """Answer with how many match."""
        question = self._question()
        asked, headers = await self._asked(request, question, _PLAIN)
        total = await self._read_models.total(self._collection.read_model, asked)
        return Response(f'{{"total":{total}}}', headers=headers, media_type="application/json")

    async def facets(self, request: Request) -> Response:
        """Answer with the most frequent values of fields, and how often each is there."""
        question = self._question("of")
        asked, headers = await self._asked(request, question, _FACETS)
        if not question.of:
            word = "Say which fields, as in ?of=tags"
            raise invalid([fault(("query", "of"), "missing", word)])
        asked = replace(asked, limit=asked.limit or _FEW)
        found = await self._read_models.facets(self._collection.read_model, asked, question.of)
        return Response(found, headers=headers, media_type="application/json")

    async def aggregate(self, request: Request) -> Response:
        """Answer with figures of each group, at most as many groups as `size` allows."""
        question = self._question("group_by", *FIGURES)
        asked, headers = await self._asked(request, question, _GROUPS)
        grouping = question.grouping
        asked = replace(asked, limit=asked.limit or _MOST)
        found = await self._read_models.groups(self._collection.read_model, asked, grouping)
        return Response(found, headers=headers, media_type="application/json")

    def _question(self, *parts: str) -> Parsing:
        shape = self._read_models.shape(self._collection.read_model)
        return Parsing(shape, parts=(*MATCHING, *parts), reserved=_GROUPS)

    async def _asked(
        self, request: Request, question: Parsing, known: Mapping[str, Parser]
    ) -> tuple[QueryOptions, Mapping[str, str] | None]:
        """Return which rows are asked for, once they are fresh enough, and what to say of it."""
        query = parsed(request.scope["query_string"], known, question)
        demanded = query.get("min_position")
        headers = await self._freshness.wait(self._collection, request, demanded)
        asked = QueryOptions(
            filters=question.filters,
            search=question.search,
            limit=query.get("size"),
            include_deleted=query.get("include_deleted", False),
        )
        return asked, headers
