"""Whether a command is of a release that comes after this one."""

from treering.bus.envelope import Said
from treering.registry import Registry
from treering.schema import SchemaRegistry, split


def newer(name: str, said: Said, registry: Registry, schemas: SchemaRegistry) -> int | None:
    """Return the revision of the type *name* that a command says if it is newer than is known here.

    A type of a later version than those known of the same word is newer in whatever revision.
    """
    is_known = registry.command(name) is not None
    schema = said.get("ce_dataschema")
    if is_known and not schema:
        return None
    found = split((schema or b"").decode(errors="replace").rpartition("/")[2])
    revision = found[1] if found and found[0] == name else 1
    if not is_known:
        return revision if _version(name) > _newest(name, registry) > 0 else None
    known = schemas.revision(name)
    return revision if known is not None and revision > known else None


def _newest(name: str, registry: Registry) -> int:
    """Return the newest version that is known of a type's word; 0 if there is none."""
    stem = _stem(name)
    older = (each.name for each in registry.older.values() if each.now in registry.commands)
    names = (*registry.commands, *older)
    return max((_version(each) for each in names if _stem(each) == stem), default=0)


def _stem(name: str) -> str:
    return name.rpartition(".v")[0]


def _version(name: str) -> int:
    found = split(name)
    return int(found[0].rpartition(".v")[2]) if found else 0
