"""Operations: the commands of an entity that have an address of their own, `/{id}/$retire`."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from treering.errors import DeclarationError
from treering.message import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One of them."""

    word: str
    """What stands behind the `$`."""
    name: str
    """Its type."""
    body: type[Command]
    creates: bool = False
    """Whether it makes a new entity: then its address is the collection's, `/$import`."""


def operations(
    commands: Iterable[type[Command]], creating: Collection[type[Command]]
) -> Sequence[Operation]:
    """Return the operations that the further *commands* of an entity are, by their words."""
    found = {
        (word := word_in(each.message_type)): Operation(
            word=word, name=each.message_type, body=each, creates=each in creating
        )
        for each in commands
    }
    return [*found.values()]


def address(path: str, operation: Operation) -> str:
    """Return where an *operation* of what stands at *path* is asked for."""
    return f"{path}{'' if operation.creates else '/{id}'}/${operation.word}"


def word_in(type: str) -> str:
    """Return the word of a type: that of `product.retire.v1` is `retire`."""
    words = type.split(".")[1:-1]
    if not words:
        raise DeclarationError(f"{type!r} is no type; say <kind>.<word>.v1.")
    return "-".join(words)
