"""Reading an entity, or a list of them: one statement, PostgreSQL's JSON as it comes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from treering.entity.validation import fault, invalid
from treering.gateway.collection import Collection
from treering.gateway.entities.past import Past
from treering.gateway.freshness import Freshness
from treering.gateway.http.caching import tag_of, tagged
from treering.gateway.http.problem import TooLong
from treering.gateway.http.query import Parser, one_of, parsed, whole
from treering.gateway.http.routes import Routes
from treering.query import Parsing, QueryOptions, Shape, truth, written
from treering.reading import Listing, ReadModels

_LAST_PAGE = 10_000_000
_PAST = "past"
_STRETCH = 20
"""Rows that a cursor answers with unless `size` is said."""
_ANY: Mapping[str, Parser] = {"include_deleted": truth, "min_position": str}
_ONE: Mapping[str, Parser] = {**_ANY, "as_of": str}
_LIST: Mapping[str, Parser] = {
    **_ANY,
    "page": whole(1, _LAST_PAGE),
    "size": whole(1, 100),
    "count": one_of("exact", "none"),
}


class Reads:
    """GET of one collection."""

    def __init__(
        self,
        collection: Collection,
        read_models: ReadModels,
        freshness: Freshness,
        past: Past,
        *,
        most: int,
    ) -> None:
        self._collection = collection
        self._most = most
        self._past = past
        self._read_models = read_models
        self._freshness = freshness

    def add_to(self, routes: Routes) -> None:
        """Add the addresses that are read."""
        path = self._collection.path
        routes.add("GET", path, self.list)
        routes.add("GET", f"{path}/$schema", self.schema)
        routes.add("GET", f"{path}/{{id}}", self.get)

    async def get(self, request: Request) -> Response:
        """Answer with one entity."""
        named = self._collection.id_in_path(request.path_params["id"])
        question = Parsing(self._shape(), parts=("fields",), reserved=_ONE)
        query = parsed(request.scope["query_string"], _ONE, question)
        if "as_of" in query:
            return await self._then(request, named, query, question.fields)
        headers = await self._wait(request, query.get("min_position"))
        found = await self._read_models.get(
            self._collection.read_model,
            named,
            fields=question.fields,
            include_deleted=query.get("include_deleted", False),
        )
        if found is None:
            raise self._collection.missing(named)
        return tagged(request, found.text, await self._tag(found.version, found.mark), headers)

    async def _then(
        self, request: Request, named: str, query: Mapping[str, Any], fields: Sequence[str] | None
    ) -> Response:
        """Answer with one entity as it was."""
        shown, version = await self._past.as_of(named, query["as_of"])
        if "deleted_at" in shown and not query.get("include_deleted", False):
            raise self._collection.missing(named)
        wanted = shown if fields is None else {name: shown.get(name) for name in fields}
        text = msgspec.json.encode(wanted).decode()
        return tagged(request, text, await self._tag(version, _PAST))

    async def list(self, request: Request) -> Response:
        """Answer with all entities, with a page, or with those that follow a cursor."""
        question = Parsing(self._shape(), reserved=_LIST)
        query = parsed(request.scope["query_string"], _LIST, question)
        headers = await self._wait(request, query.get("min_position"))
        asked, page = _asked(question, query)
        if asked.limit is None:
            asked = replace(asked, limit=self._most + 1)
        found = await self._read_models.list(self._collection.read_model, asked)
        if asked.cursor is not None:
            text = _stretch(found, asked)
        elif page:
            text = _paged(found, page, asked.limit or 1)
        elif found.rows > self._most:
            raise TooLong(
                f"There are more than {self._most:,} {self._collection.plural}: take pages with "
                "`page` and `size`, go on from a `cursor`, or take a file from `$export`."
            )
        else:
            text = found.items
        token = await self._freshness.token(found.position)
        return tagged(request, text, tag_of(found.position, token, found.mark), headers)

    async def schema(self, _request: Request) -> Response:
        """Answer with the JSON Schema of the entity's fields."""
        schema = self._collection.entity.model_json_schema()
        return Response(msgspec.json.encode(schema), media_type="application/json")

    async def _tag(self, version: int | None, mark: str) -> str | None:
        return None if version is None else tag_of(version, await self._freshness.epoch(), mark)

    def _shape(self) -> Shape:
        return self._read_models.shape(self._collection.read_model)

    async def _wait(self, request: Request, demanded: str | None) -> Mapping[str, str] | None:
        return await self._freshness.wait(self._collection, request, demanded)


def _asked(question: Parsing, query: Mapping[str, Any]) -> tuple[QueryOptions, int | None]:
    """Return what is asked, and the number of the page if one is."""
    page, size = query.get("page"), query.get("size")
    if question.cursor is not None:
        if page is not None:
            word = "A cursor goes on from a place, a page is counted; say one of them"
            raise invalid([fault(("query", "page"), "wrong_parameter", word, page)])
        size, count = size or _STRETCH, "none"
    elif page is None or size is None:
        page, size, count = None, None, "none"
    else:
        count = "exact"
    asked = QueryOptions(
        filters=question.filters,
        search=question.search,
        sort_by=question.sort_by,
        fields=question.fields,
        limit=size,
        offset=(page - 1) * size if page and size else 0,
        cursor=question.cursor,
        count=query.get("count", count),
        include_deleted=query.get("include_deleted", False),
    )
    return asked, page


def _stretch(found: Listing, asked: QueryOptions) -> str:
    """Return the answer to a cursor: rows, and the cursors to both of their sides."""
    sides = {
        "size": asked.limit,
        "next": found.next and written(found.next, asked.sort_by, asked.search),
        "previous": found.previous and written(found.previous, asked.sort_by, asked.search),
    }
    if found.total is not None:
        sides["total"] = found.total
    return f'{{"items":{found.items},{msgspec.json.encode(sides).decode()[1:]}'


def _paged(found: Listing, page: int, size: int) -> str:
    if found.total is None:
        return f'{{"items":{found.items},"page":{page},"size":{size}}}'
    pages = -(-found.total // size)
    return (
        f'{{"items":{found.items},"total":{found.total},'
        f'"page":{page},"size":{size},"pages":{pages}}}'
    )
