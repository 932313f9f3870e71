"""An application: what both roots declare, put together once and checked."""

import pkgutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from treering import domain, roots
from treering.app.importing import declared, entities, imported
from treering.decider import Decider
from treering.entity import Entity
from treering.errors import DeclarationError, SettingsError
from treering.mount import Mount
from treering.projection import Projection
from treering.registry import Registry
from treering.service import Service
from treering.settings import Settings

PROJECTIONS = "projections"


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A service that is ready to be run: nothing of it has been started."""

    root: Path | None
    """The user's root; None when the kit serves its own entities alone."""
    service: Service
    settings: Settings
    """The environment's, the service's where the environment says nothing."""
    entities: Sequence[type[Entity]]
    registry: Registry
    projections: Sequence[Projection]
    """The read models; empty when they were not asked for."""
    mounts: Sequence[Mount]
    """What stands beside the API."""
    home: Path
    """The folder for servers, data and the secret."""
    namespace: str

    def secret(self) -> bytes | None:
        """Return the key that commands are signed with; None if this process has none."""
        if self.settings.secret:
            return self.settings.secret.encode()
        file = self.home / "secret"
        return file.read_text().strip().encode() if file.exists() else None


def named(found: str | None, what: str, setting: str) -> str:
    """Return *found*; raises SettingsError when nothing named it."""
    if found is None:
        raise SettingsError(
            f"No {what} is named: run `treering dev` in this folder, or set {setting}."
        )
    return found


def load(settings: Settings, *, projections: bool = True) -> App:
    """Import what both roots declare and put it together.

    A process that folds and reads no read models leaves *projections* out and imports none.
    Raises DeclarationError, with file and line where the user's code is at fault.
    """
    kit, user = roots.kit_root(), roots.user_root(settings)
    roots.enter([root for root in (user, kit) if root])
    own: Sequence[ModuleType] = _user_modules(user) if user else ()
    service = _service(own) if user else _kit_service()
    settings = service.settle(settings)
    leaves: Sequence[ModuleType] = _leaves(kit, user) if projections else ()
    modules = [*_kit_domain(), *own, *leaves]
    kinds = entities(modules)
    registry = Registry([*(kind.decider() for kind in kinds), *_deciders(modules)])
    return App(
        root=user,
        service=service,
        settings=settings,
        entities=kinds,
        registry=registry,
        projections=_projections(modules, kinds, registry) if projections else [],
        mounts=declared(own, Mount),
        home=roots.home_of(settings),
        namespace=settings.namespace or service.id,
    )


def _kit_service() -> Service:
    return Service(id="treering", display_name="treering", version=version("treering"))


def _kit_domain() -> Sequence[ModuleType]:
    found = pkgutil.iter_modules(domain.__path__, f"{domain.__name__}.")
    return [import_module(module.name) for module in found]


def _user_modules(root: Path) -> Sequence[ModuleType]:
    return [imported(name, root) for name in ("service", *roots.modules(root, "domain"))]


def _service(modules: Iterable[ModuleType]) -> Service:
    found = declared(modules, Service)
    if len(found) != 1:
        said = "no Service" if not found else "more than one Service"
        raise DeclarationError(
            f'{roots.SERVICE} declares {said}: write `service = Service(id="my-service")` once.'
        )
    return found[0]


def _deciders(modules: Iterable[ModuleType]) -> Sequence[Decider[Any]]:
    return cast("Sequence[Decider[Any]]", declared(modules, Decider))


def _leaves(kit: Path, user: Path | None) -> Sequence[ModuleType]:
    """Return the leaves of both roots; the kit's give way to those that say they replace them."""
    of_kit = dict.fromkeys(roots.modules(kit, PROJECTIONS), kit)
    if user is None or user == kit:
        return [imported(name, kit) for name in of_kit]
    own = {name: imported(name, user) for name in roots.modules(user, PROJECTIONS)}
    replaced: set[str] = set()
    for name, module in own.items():
        said = {each.replaces for each in declared([module], Projection) if each.replaces}
        replaced |= {f"{PROJECTIONS}.{leaf}" for leaf in said}
        if name in of_kit and name not in replaced:
            leaf = name.partition(".")[2]
            raise DeclarationError(
                f"{PROJECTIONS}/{leaf}.py is the name of one of treering's own read models: "
                f'rename the file, or say replaces="{leaf}" if yours takes its place.'
            )
    if unknown := sorted(replaced - of_kit.keys()):
        names = ", ".join(sorted(name.partition(".")[2] for name in of_kit))
        raise DeclarationError(
            f"{unknown[0].partition('.')[2]!r} can not be replaced: treering's own read models "
            f"are {names}."
        )
    return [*(imported(name, kit) for name in of_kit if name not in replaced), *own.values()]


def _projections(
    modules: Iterable[ModuleType], kinds: Iterable[type[Entity]], registry: Registry
) -> Sequence[Projection]:
    """Return the declared read models, and that of every entity which has none declared."""
    found: dict[str, Projection] = {}
    for each in declared(modules, Projection):
        if each.name in found:
            raise DeclarationError(f"Two read models are called {each.name!r}; rename one.")
        if unknown := sorted(each.kinds - registry.deciders.keys()):
            raise DeclarationError(
                f"The read model {each.name!r} wants events of {unknown[0]!r}, which is no kind "
                "of this service."
            )
        found[each.name] = each
    for kind in kinds:
        name = kind.declaration.plural
        if name not in found:
            found[name] = Projection.of(kind)
    return [_reading(each, registry) for each in found.values()]


def _reading(projection: Projection, registry: Registry) -> Projection:
    """Return *projection* as one whose older events are read as its kinds say."""
    kinds = (registry.deciders[kind] for kind in sorted(projection.kinds))
    upcasts = [each for kind in kinds for each in kind.upcasts]
    return replace(projection, upcasts=upcasts) if upcasts else projection
