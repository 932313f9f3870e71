"""The parameters that say something of the question itself, wherever one is asked."""

RESERVED = frozenset({
    "after", "as_of", "avg", "count", "cursor", "fields", "filter", "format", "from", "group_by",
    "include_deleted", "links", "max", "min", "min_position", "of", "page", "search", "size",
    "sort", "sum", "to",
})  # fmt: skip
"""They win over fields of the same name, which are asked for as `size[eq]=3` or in `filter`."""


class ReservedName(UserWarning):
    """A field has the name of a parameter."""
