"""Which of an entity's addresses are served over HTTP."""

from collections.abc import Mapping

SWITCHES = frozenset({"list", "read", "create", "update", "delete"})
"""What a class line can say in `served`; all of it unless said."""
_OF_COMMANDS: Mapping[str, str] = {
    "create": "create",
    "update": "update",
    "patch": "update",
    "replace": "update",
    "tag": "update",
    "untag": "update",
    "delete": "delete",
    "restore": "delete",
    "purge": "delete",
}
_OF_READS: Mapping[str, str] = {
    "": "list",
    "/$stats": "list",
    "/$facets": "list",
    "/$aggregate": "list",
    "/$export": "list",
    "/{id}": "read",
    "/{id}/$history": "read",
    "/{id}/$diff": "read",
}
_OF_METHODS: Mapping[str, str] = {
    "POST": "create",
    "PUT": "update",
    "PATCH": "update",
    "DELETE": "delete",
}


def switch_of_command(word: str) -> str | None:
    """Return the switch of commands with that *word*; None if they have none."""
    return _OF_COMMANDS.get(word)


def switches_of(method: str, place: str) -> frozenset[str]:
    """Return the switches of an address, one of which has to be on; none if it has none.

    *place* is what stands behind the collection's path.
    """
    if method in {"GET", "HEAD"}:
        return frozenset({_OF_READS[place]}) if place in _OF_READS else frozenset()
    if place == "/$bulk":
        return frozenset({"create", "update", "delete"})
    _, is_operation, word = place.rpartition("$")
    found = switch_of_command(word) if is_operation else _OF_METHODS.get(method)
    return frozenset({found}) if found else frozenset()
