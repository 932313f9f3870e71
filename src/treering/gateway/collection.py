"""What is served: entities and further read models, and how their ids look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from treering import ulid
from treering.entity import Deprecated, Entity
from treering.entity.naming import ID, ID_IN_WORDS
from treering.errors import NotFound
from treering.gateway.http.problem import InvalidUlid

__all__ = ["ID", "ID_IN_WORDS", "Collection", "Table"]

_SHOWN = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One read model under `/api/v1/<its name>`."""

    read_model: str
    address: str = ""
    """What its path ends with; its name unless given."""
    schema: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The JSON Schema of a row."""
    has_id: bool = True
    """Whether a row has one column for a key, so that it has an address."""

    def __post_init__(self) -> None:
        """Fill in what was not said."""
        if not self.address:
            object.__setattr__(self, "address", self.read_model)

    @property
    def path(self) -> str:
        return f"/api/v1/{self.address}"

    @property
    def plural(self) -> str:
        """What its rows are called."""
        return self.read_model

    @property
    def before(self) -> "Sequence[Table]":
        """It under the addresses that it had before."""
        return ()

    def json_schema(self) -> Mapping[str, Any]:
        """Return what `$schema` answers with."""
        return self.schema

    def id_in_path(self, said: str) -> str:
        """Return the id that a path names; raises a refusal if there can be none such."""
        return said

    def missing(self, id: str) -> NotFound:
        """Return the refusal of a row that is not there."""
        return NotFound(f"{self.read_model} has no row {id[:_SHOWN]!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection(Table):
    """One kind of entity under `/api/v1/<plural>`, read from one read model."""

    entity: type[Entity]
    read_model: str = ""
    """The entity's own read model; its plural unless given."""

    def __post_init__(self) -> None:
        """Fill in what was not said."""
        for name in ("read_model", "address"):
            if not getattr(self, name):
                object.__setattr__(self, name, self.entity.declaration.plural)

    @property
    def kind(self) -> str:
        return self.entity.declaration.kind

    @property
    def plural(self) -> str:
        return self.entity.declaration.plural

    @property
    def before(self) -> "Sequence[Collection]":
        """It under the addresses that it had before."""
        return [replace(self, address=each) for each in sorted(self.entity.declaration.formerly)]

    @property
    def deprecated(self) -> Deprecated | None:
        """Since when, and until when, it should not be asked here any more."""
        said = self.entity.declaration
        former = cast("Mapping[str, Deprecated]", said.formerly)
        own = former.get(self.address) if isinstance(said.formerly, Mapping) else None
        return own or said.deprecated

    def id_in_path(self, said: str) -> str:
        """Return the id that a path names; raises InvalidUlid or NotFound if there is none such."""
        if self.entity.declaration.ids == "ulid":
            if (normal := ulid.normal(said)) is None:
                raise InvalidUlid(f"{said[:_SHOWN]!r} is no ULID: 26 characters, no I, L, O or U.")
            return normal
        if not ID.fullmatch(said):
            raise self.missing(said[:_SHOWN])
        return said

    def json_schema(self) -> Mapping[str, Any]:
        """Return what `$schema` answers with: the schema of the entity's fields."""
        return self.entity.model_json_schema()

    def id_in_body(self, said: object) -> str | None:
        """Return the id that a body names; None if no such id can be."""
        if not isinstance(said, str):
            return None
        if self.entity.declaration.ids == "ulid":
            return ulid.normal(said)
        return said if ID.fullmatch(said) else None

    def missing(self, id: str) -> NotFound:
        """Return the refusal of an entity that is not there."""
        return NotFound(f"{self.kind}/{id} does not exist.")
