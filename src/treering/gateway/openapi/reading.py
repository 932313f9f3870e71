"""The operations that read."""

from collections.abc import Mapping, Sequence
from typing import Any

from treering.gateway.openapi.operations import READ, Described, content, parameter
from treering.gateway.openapi.subject import Subject
from treering.gateway.sheets import MEDIA_TYPE
from treering.query import COUNTS, FIGURES, Word

_TEXT: Described = {"type": "string"}
_NUMBER: Described = {"type": "integer", "minimum": 1}
_FEW: Described = {**_NUMBER, "maximum": 100}
_FROM_NOTHING: Described = {"type": "integer", "minimum": 0}
_KINDS: Mapping[Word, Described] = {
    "text": _TEXT,
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "moment": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
}
_FRESH = parameter(
    "min_position", _TEXT, "A position that the answer must not be older than, from a write."
)
_DELETED = parameter("include_deleted", {"type": "boolean"}, "Whether deleted ones are shown.")
_FIELDS = parameter("fields", _TEXT, "What is shown, such as `id,name`; all unless said.")
_SORT = parameter("sort", _TEXT, "The order: `-created_at,name`, or `created_at:desc,name:asc`.")
_FORMS = ["csv", "ndjson", "json", "xlsx"]
_FORM = parameter("format", {"enum": _FORMS}, "Of the file; CSV unless said.")


def _matching(of: Subject[Any]) -> Sequence[Described]:
    """Return the parameters that say which rows match."""
    plain = [
        parameter(name, _KINDS[word], f"Only those with this {name}; `{name}[op]` says more.")
        for name, word in of.shape.words.items()
        if name in of.shape.filterable and word in _KINDS
    ]
    search = parameter("search", _TEXT, "Words that are in them, or begin words in them.")
    said = parameter("filter", _TEXT, 'Conditions in JSON: `{"or": [{"a[gte]": 1}, …]}`.')
    return [said, *([search] if of.shape.searchable else []), *plain, _DELETED, _FRESH]


def all_of(of: Subject[Any]) -> Described:
    """Describe the list."""
    page = {
        "type": "object",
        "required": ["items", "size"],
        "properties": {
            "items": of.several(),
            **{name: {"type": "integer"} for name in ("size", "page", "pages", "total")},
            **{name: {"type": ["string", "null"]} for name in ("next", "previous")},
        },
    }
    shown = content({"anyOf": [of.several(), page]}, sample=[of.sample(of.name)])
    return of.operation(
        "list",
        f"List {of.tag}: all that match, or a part of them",
        parameters=[
            *_matching(of),
            _SORT,
            _FIELDS,
            parameter("page", _NUMBER, "Together with `size`: the number of a page."),
            parameter("size", _FEW, "Rows of a page, or after a cursor."),
            parameter("cursor", _TEXT, "Where to go on; empty for the beginning."),
            parameter("count", {"enum": [*COUNTS]}, "Whether all are counted, or estimated."),
        ],
        answers={
            200: ("Those that match.", shown),
            304: ("Nothing has happened since `If-None-Match`.", None),
        },
        problems=(*READ, 413),
    )


def one(of: Subject[Any], *further: Described) -> Described:
    """Describe one of them, which may be asked with *further* parameters."""
    return of.operation(
        "get",
        f"Show {of.one}",
        parameters=[_FIELDS, *further, _DELETED, _FRESH],
        answers={200: ("It.", of.body()), 304: ("It is what `If-None-Match` names.", None)},
        problems=(400, *READ),
    )


def one_entity(of: Subject[Any]) -> Described:
    """Describe one entity, which has links and a past."""
    links = parameter("links", {"type": "boolean"}, "Whether `_links` say where to go on.")
    then = parameter("as_of", _TEXT, "A position or a time: shows it as it was.")
    return one(of, then, links)


def schema(of: Subject[Any]) -> Described:
    """Describe `$schema`."""
    shown = content({"type": "object"})
    answers = {200: ("The schema of the fields.", shown)}
    return of.operation("schemaOf", f"The JSON Schema of {of.tag}", answers=answers, problems=())


def stats(of: Subject[Any]) -> Described:
    """Describe `$stats`."""
    count = parameter("count", {"enum": [*COUNTS[:2]]}, "Whether all are counted, or estimated.")
    return _figures(of, "stats", f"How many {of.tag} match", [count], {"total": 1})


def facets(of: Subject[Any]) -> Described:
    """Describe `$facets`."""
    wanted = [
        parameter("of", _TEXT, "Fields, such as `tags,name`.", required=True),
        parameter("size", _FEW, "Values of each."),
    ]
    sample = {"tags": [{"value": "a", "count": 2}]}
    return _figures(of, "facets", f"How often values of {of.tag} are there", wanted, sample)


def aggregate(of: Subject[Any]) -> Described:
    """Describe `$aggregate`."""
    wanted = [
        parameter("group_by", _TEXT, "Fields whose values make the groups."),
        *(parameter(each, _TEXT, f"Fields whose {each} is told.") for each in FIGURES),
        parameter("size", {**_NUMBER, "maximum": 1000}, "Groups."),
    ]
    sample = [{"group": {"name": "a"}, "count": 2, "sum": {"rows": 3}}]
    return _figures(of, "aggregate", f"Figures of groups of {of.tag}", wanted, sample)


def _figures(
    of: Subject[Any], word: str, said: str, wanted: Sequence[Described], sample: Any
) -> Described:
    schema = {"type": "array" if isinstance(sample, list) else "object"}
    return of.operation(
        word,
        said,
        parameters=[*_matching(of), *wanted],
        answers={200: ("The figures.", content(schema, sample=sample))},
    )


def export(of: Subject[Any]) -> Described:
    """Describe `$export`."""
    file = {
        **content(_TEXT, kind="text/csv"),
        **content(_TEXT, kind="application/x-ndjson"),
        **content({"type": "string", "format": "binary"}, kind=MEDIA_TYPE),
        **content(of.several()),
    }
    return of.operation(
        "export",
        f"A file of all {of.tag} that match",
        parameters=[*_matching(of), _SORT, _FIELDS, _FORM],
        answers={200: ("The file.", file)},
        problems=(*READ, 413),
    )


def history(of: Subject[Any]) -> Described:
    """Describe `$history`."""
    return of.operation(
        "historyOf",
        f"The versions of {of.one}",
        parameters=[
            parameter("after", _FROM_NOTHING, "The version after which to go on."),
            parameter("size", _FEW, "Versions in an answer."),
        ],
        answers={200: ("The oldest first.", content({"type": "object"}))},
        problems=(400, *READ),
    )


def diff(of: Subject[Any]) -> Described:
    """Describe `$diff`."""
    return of.operation(
        "diffOf",
        f"What differs between two versions of {of.one}",
        parameters=[
            parameter("from", _FROM_NOTHING, "The earlier version; the one before unless said."),
            parameter("to", _NUMBER, "The later one; the newest unless said."),
        ],
        answers={200: ("The fields that differ.", content({"type": "object"}))},
        problems=(400, *READ),
    )
