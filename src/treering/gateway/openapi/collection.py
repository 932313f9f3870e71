"""The paths of one collection, and of one further read model."""

from treering.entity.operation import address as operation_path
from treering.gateway.collection import ID, Collection, Table
from treering.gateway.openapi import reading, writing
from treering.gateway.openapi.operations import Described, parameter
from treering.gateway.openapi.subject import Subject
from treering.gateway.switches import is_served


def paths_of_table(of: Subject[Table]) -> dict[str, Described]:
    """Return its operations, by path and method."""
    path = of.collection.path
    found: dict[str, Described] = {
        path: {"get": reading.all_of(of)},
        f"{path}/$schema": {"get": reading.schema(of)},
        f"{path}/$stats": {"get": reading.stats(of)},
        f"{path}/$facets": {"get": reading.facets(of)},
        f"{path}/$aggregate": {"get": reading.aggregate(of)},
        f"{path}/$export": {"get": reading.export(of)},
    }
    if of.collection.has_id:
        key = parameter("id", {"type": "string"}, "Its key.", where="path", required=True)
        found[f"{path}/{{id}}"] = {"get": reading.one(of), "parameters": [key]}
    return found


def paths_of(of: Subject[Collection]) -> dict[str, Described]:
    """Return its operations, by path and method."""
    path = of.collection.path
    one = f"{path}/{{id}}"
    found = paths_of_table(of)
    found[path]["post"] = writing.create(of)
    found |= {
        f"{path}/$bulk": {"post": writing.bulk(of)},
        one: {
            "get": reading.one_entity(of),
            "put": writing.change(of, "update", "Set the fields that are named"),
            "patch": writing.change(of, "patch", "Apply a merge patch (RFC 7396) to fields"),
            "delete": writing.plain(of, "delete"),
        },
        f"{one}/$restore": {"post": writing.plain(of, "restore")},
        f"{one}/$purge": {"post": writing.plain(of, "purge", shows=False)},
        f"{one}/$history": {"get": reading.history(of)},
        f"{one}/$diff": {"get": reading.diff(of)},
    }
    for each in of.collection.entity.declaration.operations:
        found[operation_path(path, each)] = {"post": writing.operate(of, each)}
    found = {address: _served(of, address, said) for address, said in found.items()}
    found = {address: said for address, said in found.items() if said}
    if of.collection.deprecated is not None:
        for operations in found.values():
            for described in operations.values():
                described["deprecated"] = True
    for address in (each for each in found if "{id}" in each):
        found[address]["parameters"] = [_id(of)]
    return found


def _served(of: Subject[Collection], address: str, said: Described) -> Described:
    """Return the operations at an *address* that are served."""
    return {
        method: each
        for method, each in said.items()
        if is_served(of.collection, method.upper(), address)
    }


def _id(of: Subject[Collection]) -> Described:
    is_any = of.collection.entity.declaration.ids == "any"
    pattern = {"pattern": f"^{ID.pattern}$"} if is_any else {}
    return parameter("id", {"type": "string", **pattern}, "Its id.", where="path", required=True)
