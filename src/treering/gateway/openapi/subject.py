"""What operations are about: one collection or read model, and how it is described."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from treering.gateway.collection import Table
from treering.gateway.openapi.examples import example
from treering.gateway.openapi.operations import READ, Described, content, listed, operation, ref
from treering.gateway.openapi.shapes import name_of
from treering.query import Shape


@dataclass(frozen=True, slots=True)
class Subject[Of: Table]:
    """One of them, among the *components* of the document."""

    collection: Of
    shape: Shape
    components: Mapping[str, Described]

    @property
    def name(self) -> str:
        """What its components are called."""
        return name_of(self.collection)

    @property
    def tag(self) -> str:
        return self.collection.plural

    @property
    def one(self) -> str:
        """What an operation on one of them is about."""
        return f"one of the {self.tag}"

    def sample(self, name: str) -> Any:
        """Return an example of a component."""
        return example(self.components[name], self.components)

    def body(self, suffix: str = "") -> Described:
        """Describe a body that is one of them."""
        name = f"{self.name}{suffix}"
        return content(ref(name), sample=self.sample(name))

    def several(self, suffix: str = "") -> Described:
        """Return the schema of a list of them."""
        return listed(ref(f"{self.name}{suffix}"))

    def operation(self, word: str, said: str, **parts: Any) -> Described:
        """Describe an operation; it reads unless it says which problems it may have."""
        parts.setdefault("problems", READ)
        return operation(f"{word}{self.name}", said, self.tag, **parts)
