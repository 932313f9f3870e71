"""`treering query`: rows of a read model, asked for as over HTTP."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from treering.cli import place
from treering.cli.output import say, show, table
from treering.entity.validation import invalid
from treering.errors import DeclarationError
from treering.query import Count, Parsing, QueryOptions
from treering.reading import ReadModels

_PARTS = ("filter", "search", "sort", "fields")


async def query(  # noqa: PLR0913 - the parts of a question
    name: str,
    /,
    *,
    where: tuple[str, ...] = (),
    filter: str | None = None,
    search: str | None = None,
    sort: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    fields: str | None = None,
    limit: int = 20,
    count: Count = "exact",
    deleted: bool = False,
    csv: bool = False,
    json: bool = False,
) -> None:
    """Print rows of a read model as a table.

        treering query configs --where 'name[ilike]=%rain%' --sort -created_at

    Args:
        name: The read model.
        where: A condition such as `rows[gte]=10` or `name=rain`; several all hold.
        filter: Conditions in JSON, with `and`, `or` and `not`.
        search: Words to search.
        sort: The order, such as `-rows,name`.
        fields: What is shown, such as `id,name`.
        limit: How many rows at most; --csv prints all.
        count: Whether all that match are counted (`exact`), estimated (`planned`), or neither.
        deleted: Show deleted ones, too.
        csv: Print CSV instead of a table.
        json: Print JSON instead of a table.

    """
    said = {"filter": filter, "search": search, "sort": sort, "fields": fields}
    found = place.loaded(projections=True)
    async with place.reader(found) as reader:
        models = ReadModels(reader, found.projections)
        asked = _asked(models, name, where, said, limit=limit)
        asked = replace(asked, count=count, include_deleted=deleted)
        if csv:
            async for piece in models.export(name, asked, "csv"):
                sys.stdout.buffer.write(piece)
            return
        listing = await models.list(name, asked)
    rows: list[dict[str, Any]] = msgspec.json.decode(listing.items)
    if json:
        show(rows)
        return
    names = [*dict.fromkeys(each for row in rows for each in row)]
    table(names, [[_cell(row.get(each)) for each in names] for row in rows])
    if listing.total is not None and listing.total > len(rows):
        about = "about " if count == "planned" else ""
        say(f"{len(rows)} of {about}{listing.total:,} rows; --limit shows more.")


def _asked(
    models: ReadModels,
    name: str,
    where: Sequence[str],
    said: Mapping[str, str | None],
    *,
    limit: int,
) -> QueryOptions:
    question = Parsing(models.shape(name), parts=_PARTS)
    for condition in where:
        field, equals, value = condition.partition("=")
        if not equals:
            raise DeclarationError(f"{condition!r} is no condition, such as 'rows[gte]=10'.")
        question.parse(field, value)
    for part, text in said.items():
        if text is not None:
            question.parse(part, text)
    if faults := question.faults():
        raise invalid(faults)
    return QueryOptions(
        filters=question.filters,
        search=question.search,
        sort_by=question.sort_by,
        fields=question.fields,
        limit=limit,
    )


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
