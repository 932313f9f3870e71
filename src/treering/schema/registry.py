"""All shapes that a service has had: each name's revisions, the oldest first."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from treering.errors import DeclarationError
from treering.schema.shape import Schema, differences, fields_of, is_same

SCHEMAS = "/api/v1/schemas"
"""Where gateways serve them."""
_REVISION = re.compile(r"(?P<name>.+\.v[1-9]\d{0,8})(?:\.(?P<number>[1-9]\d{0,8}))?")


class SchemaVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One revision of one shape."""

    name: str
    """A message's type, or a read model's name and version: `dataset.create.v1`, `datasets.v1`."""
    version: int
    """Counts its compatible shapes, from 1."""
    schema_json: Schema
    """The JSON Schema."""
    deprecated: bool = False
    """Whether it is still read, and nobody should write it any more."""

    @property
    def id(self) -> str:
        """Its name with its number, such as `dataset.create.v1.2`; the first has none."""
        return self.name if self.version == 1 else f"{self.name}.{self.version}"

    @property
    def fields(self) -> Collection[str]:
        """The fields that it knows."""
        return fields_of(self.schema_json)


class SchemaRegistry:
    """Shapes by name, each with its revisions in order."""

    def __init__(self) -> None:
        self._versions: dict[str, list[SchemaVersion]] = {}
        self._firsts: dict[str, Callable[[], Schema]] = {}
        """Shapes that are the first of their name; each is made when somebody wants to see it."""

    def register(
        self, name: str, schema: Callable[[], Schema], *, is_shown: bool = False
    ) -> SchemaVersion | None:
        """Take note of the shape that *name* has now; return it if it is a further revision.

        Raises DeclarationError if it is not compatible with the one before it.
        """
        if name not in self._versions:
            self._firsts[name] = schema
            return None
        last, now = self._versions[name][-1], schema()
        if is_same(last.schema_json, now):
            return None
        found = differences(last.schema_json, now, is_shown=is_shown)
        if why := [each.said for each in found if not each.is_compatible]:
            raise DeclarationError(f"{name} {', '.join(why)}")
        return self.add(name, now)

    def add(self, name: str, schema: Schema, *, number: int | None = None) -> SchemaVersion:
        """Add a revision to *name*, which goes with those before it: the next, unless it says.

        Whether *name* is deprecated is what the newest one says.
        """
        before = self._versions.get(name, [])
        made = SchemaVersion(
            name=name,
            version=number or (before[-1].version if before else 0) + 1,
            schema_json=schema,
        )
        self._versions[name] = [*before, made]
        self._mark(name, deprecated=schema.get("deprecated", False))
        return self._versions[name][-1]

    def deprecate(self, name: str) -> None:
        """Say that nobody should write *name* any more."""
        self.versions(name)
        self._mark(name, deprecated=True)

    def _mark(self, name: str, *, deprecated: bool) -> None:
        self._versions[name] = [
            msgspec.structs.replace(each, deprecated=deprecated) for each in self._versions[name]
        ]

    def get(self, name: str, version: int | None = None) -> SchemaVersion | None:
        """Return a revision of *name*, the newest unless one is named; None if there is none."""
        versions = self.versions(name)
        if version is None:
            return versions[-1] if versions else None
        return next((each for each in versions if each.version == version), None)

    def versions(self, name: str) -> Sequence[SchemaVersion]:
        """Return all revisions of *name*, the oldest first."""
        if name in self._firsts:
            self.add(name, self._firsts.pop(name)())
        return self._versions.get(name, [])

    def names(self) -> Sequence[str]:
        """Return all names, sorted."""
        return sorted(self._versions.keys() | self._firsts.keys())

    def revision(self, name: str) -> int | None:
        """Return the number of the newest revision of *name*; None if it is not known."""
        if name in self._firsts:
            return 1
        return self._versions[name][-1].version if name in self._versions else None

    def expressing(self, name: str, fields: Collection[str]) -> SchemaVersion | None:
        """Return the lowest revision of *name* that knows all *fields*; the newest if none does."""
        versions = self.versions(name)
        known = (each for each in versions if set(fields) <= set(each.fields))
        return next(known, versions[-1] if versions else None)


def split(id: str) -> tuple[str, int] | None:
    """Return name and number of a revision's id; None if it is none."""
    found = _REVISION.fullmatch(id)
    return (found["name"], int(found["number"] or 1)) if found else None


def described(found: SchemaVersion) -> Mapping[str, Any]:
    """Return the document of a revision as clients read it."""
    return {**found.schema_json, "$id": found.id} | (
        {"deprecated": True} if found.deprecated else {}
    )
