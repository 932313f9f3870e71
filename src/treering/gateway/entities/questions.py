"""What a request asks of a collection: its parameters, read; its rows, fresh enough."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from treering.gateway.collection import Table
from treering.gateway.freshness import Freshness
from treering.gateway.http.query import Parser, parsed
from treering.query import LISTED, Parsing, QueryOptions, truth
from treering.reading import ReadModels

ANY: Mapping[str, Parser] = {"include_deleted": truth, "min_position": str}
"""What can be said wherever rows are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, once it can be answered."""

    said: Mapping[str, Any]
    """Parameters that are no part of the question, by name."""
    parsing: Parsing
    headers: Mapping[str, str] | None
    """What to say of how fresh the answer is."""

    def options(self, **more: Any) -> QueryOptions:
        """Return which rows are asked for; *more* is what else is said of them."""
        parsing = self.parsing
        return QueryOptions(
            filters=parsing.filters,
            search=parsing.search,
            sort_by=parsing.sort_by,
            fields=parsing.fields,
            cursor=parsing.cursor,
            include_deleted=self.said.get("include_deleted", False),
            **more,
        )


class Questions:
    """Reads what requests ask of one collection, and waits until its rows are fresh enough."""

    def __init__(self, collection: Table, read_models: ReadModels, freshness: Freshness) -> None:
        self.collection = collection
        self.read_models = read_models
        self._freshness = freshness

    @property
    def name(self) -> str:
        """The read model that is asked."""
        return self.collection.read_model

    async def asked(
        self, request: Request, known: Mapping[str, Parser], parts: Sequence[str] = LISTED
    ) -> Question:
        """Return what *request* asks: of *parts* of the query language, and of what is *known*.

        Raises InvalidBody with everything that is wrong, ReadModelBehind if the rows are older
        than demanded.
        """
        parsing = Parsing(self.read_models.shape(self.name), parts=parts, reserved=known)
        said = parsed(request.scope["query_string"], known, parsing)
        headers = await self._freshness.wait(self.collection, request, said.get("min_position"))
        return Question(said=said, parsing=parsing, headers=headers)
