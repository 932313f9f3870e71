"""Switches: what a collection is not served with has no address."""

from collections.abc import Mapping, Sequence

from treering.entity.serving import switch_of_command, switches_of
from treering.gateway.collection import Collection
from treering.gateway.http.problem import NotServed
from treering.gateway.http.routes import Endpoint, Routes


class Switched(Routes):
    """Adds the addresses of a *collection* that are served to others."""

    def __init__(self, routes: Routes, collection: Collection) -> None:
        super().__init__()
        self._routes = routes
        self._collection = collection

    def add(self, method: str, path: str, endpoint: Endpoint) -> None:
        """Add the address if it is served."""
        if is_served(self._collection, method, path):
            self._routes.add(method, path, endpoint)


def is_served(collection: Collection, method: str, path: str) -> bool:
    """Tell whether *path* answers *method*."""
    wanted = switches_of(method, path.removeprefix(collection.path))
    return not wanted or not wanted.isdisjoint(collection.entity.declaration.served)


class Servings:
    """Which commands are taken over HTTP."""

    def __init__(self, collections: Sequence[Collection]) -> None:
        self._served: Mapping[str, Collection] = {each.kind: each for each in collections}

    def check(self, type: str) -> None:
        """Raise NotServed if commands of this *type* are not taken here."""
        kind, _, rest = type.partition(".")
        collection = self._served.get(kind)
        word = rest.rpartition(".")[0]
        if collection is None:
            return
        served = collection.entity.declaration.served
        wanted = {"create", "update", "delete"} if word == "bulk" else {switch_of_command(word)}
        if missing := sorted({*filter(None, wanted)} - {*served}):
            raise NotServed(
                f"{type} is not taken over HTTP: {collection.plural} are served without "
                f"{' and '.join(missing)}; publish it on Kafka if you may."
            )
