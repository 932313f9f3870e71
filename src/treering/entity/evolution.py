"""How fields of an older version of an entity read as those of the next."""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import partial

import msgspec

from treering.entity.messages import FIELD_WORDS, WHOLE_WORDS, Bulk, Fields, word_of
from treering.errors import DeclarationError
from treering.upcast import Upcast

type Upward = Callable[[Fields], Fields]
"""From fields as they were to fields as they are; an update says only some of them."""


class Change(msgspec.Struct, frozen=True):
    """What lies between two versions."""

    upward: Upward
    missing: Fields
    """What messages that say all fields had no field for."""

    def of(self, kind: str, word: str, version: int) -> Upcast:
        """Return the upcast of messages with *word* from that version to the next."""
        return Upcast(
            old=f"{kind}.{word}.v{version}",
            new=f"{kind}.{word}.v{version + 1}",
            change=self._many
            if word == word_of(Bulk)
            else partial(self._changed, self.missing if word in WHOLE_WORDS else {}),
            written=self.upward,
            more=repr(self.missing),
        )

    def _changed(self, missing: Fields, fields: Fields) -> Fields:
        """Return *fields* changed; a create may say its id beside them."""
        said = {**deepcopy(missing), **fields}
        own = {"id": said.pop("id")} if "id" in said else {}
        return {**own, **self.upward(said)}

    def _many(self, said: Fields) -> Fields:
        """Return the fields of several entities changed, each list of them as its command."""
        missing = {"create": self.missing, "update": {}}
        lists = {
            word: [self._changed(added, each) for each in said[word]]
            for word, added in missing.items()
            if word in said
        }
        return {**said, **lists}


def upcasts(name: str, kind: str, version: int, changes: Mapping[int, Change]) -> Iterator[Upcast]:
    """Yield the upcasts of all types that entity *name* had before *version*.

    Raises DeclarationError if *changes* do not read each version before it, and no other.
    """
    wanted = set(range(1, version))
    if unknown := sorted(changes.keys() - wanted):
        raise DeclarationError(
            f"{name} is at version {version}, and an upcast reads its version {unknown[0]}: say "
            f"`version={unknown[-1] + 1}` in its class line."
        )
    if lacking := sorted(wanted - changes.keys()):
        raise DeclarationError(
            f"{name} is at version {version} and does not say how its version {lacking[0]} is "
            f"read: add @{name}.upcast({lacking[0]})."
        )
    for number, change in sorted(changes.items()):
        yield from (change.of(kind, word, number) for word in sorted(FIELD_WORDS))


def renamed(fields: Fields, **names: str) -> Fields:
    """Return *fields* under their new names: `renamed(fields, name="title")`; others stay."""
    return {names.get(name, name): value for name, value in fields.items()}
