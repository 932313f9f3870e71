"""Links on request: where to go on from an entity, and what can be done with it."""

from collections.abc import Mapping

import msgspec

from treering.entity.operation import address
from treering.gateway.collection import Collection
from treering.gateway.switches import is_served

type Links = Mapping[str, Mapping[str, str]]

_READ = ("$history", "$diff")
_DONE = ("$restore", "$purge")


def of_one(collection: Collection, named: str) -> Links:
    """Return what can be read of one entity, and done with it."""
    path, one = collection.path, f"{collection.path}/{{id}}"
    found: dict[str, Mapping[str, str]] = {"self": {"href": one}, "collection": {"href": path}}
    wanted = [("GET", f"{one}/{word}") for word in _READ]
    wanted += [("PUT", one), ("PATCH", one), ("DELETE", one)]
    wanted += [("POST", f"{one}/{word}") for word in _DONE]
    own = [each for each in collection.entity.declaration.operations if not each.creates]
    wanted += [("POST", address(path, each)) for each in own]
    for method, place in wanted:
        if is_served(collection, method, place):
            word = place.partition("/$")[2] or {"PUT": "update"}.get(method, method.lower())
            found[word] = {"href": place, "method": method}
    return {
        word: {**link, "href": link["href"].replace("{id}", named)} for word, link in found.items()
    }


def linked(text: str, links: Links) -> str:
    """Return *text*, a JSON object, with *links*."""
    rest = text.rstrip()[:-1]
    comma = "" if rest.endswith("{") else ","
    return f'{rest}{comma}"_links":{msgspec.json.encode(links).decode()}}}'
