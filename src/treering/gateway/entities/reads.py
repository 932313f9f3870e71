"""Reading an entity, or a list of them: one statement, PostgreSQL's JSON as it comes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import override

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from treering.entity.validation import fault, invalid
from treering.gateway.collection import Collection
from treering.gateway.entities.links import linked, of_one
from treering.gateway.entities.past import Past
from treering.gateway.entities.questions import ANY, Question, Questions
from treering.gateway.freshness import Freshness
from treering.gateway.http.caching import tag_of, tagged
from treering.gateway.http.problem import TooLong
from treering.gateway.http.query import Parser, one_of, whole
from treering.gateway.http.routes import Routes
from treering.query import COUNTS, QueryOptions, truth, written
from treering.reading import Found, Listing

_LAST_PAGE = 10_000_000
_PAST = "past"
_STRETCH = 20
"""Rows that a cursor answers with unless `size` is said."""
_ONE: Mapping[str, Parser] = {**ANY, "as_of": str, "links": truth}
_LIST: Mapping[str, Parser] = {
    **ANY,
    "page": whole(1, _LAST_PAGE),
    "size": whole(1, 100),
    "count": one_of(*COUNTS),
}


class Reads:
    """GET of one collection, or of a further read model."""

    def __init__(self, questions: Questions, freshness: Freshness, *, most: int) -> None:
        self._questions = questions
        self._collection = questions.collection
        self._most = most
        self._read_models = questions.read_models
        self._freshness = freshness

    def add_to(self, routes: Routes) -> None:
        """Add the addresses that are read."""
        path = self._collection.path
        routes.add("GET", path, self.list)
        routes.add("GET", f"{path}/$schema", self.schema)
        if self._collection.has_id:
            routes.add("GET", f"{path}/{{id}}", self.get)

    async def get(self, request: Request) -> Response:
        """Answer with one row."""
        named = self._collection.id_in_path(request.path_params["id"])
        asked = await self._questions.asked(request, ANY, ("fields",))
        found = await self._found(named, asked)
        tag = await self._tag(found.version, found.mark)
        return tagged(request, found.text, tag, asked.headers)

    async def _found(self, named: str, asked: Question) -> Found:
        """Return the row that is asked for; raises NotFound if there is none."""
        found = await self._read_models.get(
            self._collection.read_model,
            named,
            fields=asked.parsing.fields,
            include_deleted=asked.said.get("include_deleted", False),
        )
        if found is None:
            raise self._collection.missing(named)
        return found

    async def list(self, request: Request) -> Response:
        """Answer with all rows, with a page, or with those that follow a cursor."""
        asked = await self._questions.asked(request, _LIST)
        wanted, page = _wanted(asked)
        if wanted.limit is None:
            wanted = replace(wanted, limit=self._most + 1)
        found = await self._read_models.list(self._collection.read_model, wanted)
        if wanted.cursor is not None:
            text = _stretch(found, wanted)
        elif page:
            text = _paged(found, page, wanted.limit or 1)
        elif found.rows > self._most:
            raise TooLong(
                f"There are more than {self._most:,} {self._collection.plural}: take pages with "
                "`page` and `size`, go on from a `cursor`, or take a file from `$export`."
            )
        else:
            text = found.items
        token = await self._freshness.token(found.position)
        return tagged(request, text, tag_of(found.position, token, found.mark), asked.headers)

    async def schema(self, _request: Request) -> Response:
        """Answer with the JSON Schema of what is read."""
        schema = self._collection.json_schema()
        return Response(msgspec.json.encode(schema), media_type="application/json")

    async def _tag(self, version: int | None, mark: str) -> str | None:
        return None if version is None else tag_of(version, await self._freshness.epoch(), mark)


class EntityReads(Reads):
    """GET of one collection, whose entities have a past and links."""

    def __init__(
        self,
        collection: Collection,
        questions: Questions,
        freshness: Freshness,
        past: Past,
        *,
        most: int,
    ) -> None:
        super().__init__(questions, freshness, most=most)
        self._entities = collection
        self._past = past

    @override
    async def get(self, request: Request) -> Response:
        """Answer with one entity."""
        named = self._entities.id_in_path(request.path_params["id"])
        asked = await self._questions.asked(request, _ONE, ("fields",))
        if "as_of" in asked.said:
            return await self._then(request, named, asked)
        found = await self._found(named, asked)
        if asked.said.get("links"):
            tag = await self._tag(found.version, f"{found.mark} links")
            text = linked(found.text, of_one(self._entities, named))
            return tagged(request, text, tag, asked.headers)
        tag = await self._tag(found.version, found.mark)
        return tagged(request, found.text, tag, asked.headers)

    async def _then(self, request: Request, named: str, asked: Question) -> Response:
        """Answer with one entity as it was."""
        shown, version = await self._past.as_of(named, asked.said["as_of"])
        if "deleted_at" in shown and not asked.said.get("include_deleted", False):
            raise self._collection.missing(named)
        fields = asked.parsing.fields
        wanted = shown if fields is None else {name: shown.get(name) for name in fields}
        text = msgspec.json.encode(wanted).decode()
        if asked.said.get("links"):
            text = linked(text, of_one(self._entities, named))
        tag = await self._tag(version, f"{_PAST} links" if asked.said.get("links") else _PAST)
        return tagged(request, text, tag)


def _wanted(asked: Question) -> tuple[QueryOptions, int | None]:
    """Return which rows are wanted, and the number of the page if it is one."""
    page, size = asked.said.get("page"), asked.said.get("size")
    if asked.parsing.cursor is not None:
        if page is not None:
            word = "A cursor goes on from a place, a page is counted; say one of them"
            raise invalid([fault(("query", "page"), "wrong_parameter", word, page)])
        size, count = size or _STRETCH, "none"
    elif page is None or size is None:
        page, size, count = None, None, "none"
    else:
        count = "exact"
    offset = (page - 1) * size if page and size else 0
    return asked.options(limit=size, offset=offset, count=asked.said.get("count", count)), page


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
