"""From what a request says of an entity to the command that it means; no request is needed."""

from collections.abc import Mapping
from typing import Any

import msgspec

from treering.entity.validation import fault, invalid
from treering.gateway.asking import Asked
from treering.gateway.collection import ID_IN_WORDS, Collection

_encode = msgspec.json.Encoder().encode


class Saying:
    """The commands of one collection."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    def create(
        self, fields: Mapping[str, Any], raw: bytes | None = None, *, expected: int | None = None
    ) -> Asked:
        """Return the command that creates an entity under the id in *fields*, or under a new one.

        *raw* is how they were written. Raises InvalidBody if no such id can be.
        """
        subject = None
        if (said := fields.get("id")) is not None:
            if (named := self._collection.id_in_body(said)) is None:
                raise invalid([self._wrong_id(said)])
            subject = f"{self._collection.kind}/{named}"
            if raw is None or named != said:
                raw = _encode({**fields, "id": named})
        elif "id" in fields:
            raw = _without_id(fields)
        body = _encode(fields) if raw is None else raw
        return Asked(type=self._type("create"), body=body, subject=subject, expected=expected)

    def change(
        self,
        word: str,
        id: str,
        fields: Mapping[str, Any],
        raw: bytes | None = None,
        *,
        expected: int | None = None,
    ) -> Asked:
        """Return the command that sets *fields* of an entity; raises InvalidBody for another id."""
        if "id" in fields:
            said = fields["id"]
            if said is not None and self._collection.id_in_body(said) != id:
                raise invalid([fault(("id",), "id_mismatch", f"The address names {id}", said)])
            raw = _without_id(fields)
        return self.plain(word, id, _encode(fields) if raw is None else raw, expected=expected)

    def plain(
        self,
        word: str,
        id: str,
        body: bytes = b"{}",
        *,
        expected: int | None = None,
        shows_entity: bool = True,
    ) -> Asked:
        """Return a command about one entity."""
        return Asked(
            type=self._type(word),
            body=body,
            subject=f"{self._collection.kind}/{id}",
            expected=expected,
            shows_entity=shows_entity,
        )

    def _type(self, word: str) -> str:
        return self._collection.entity.declaration.type_of(word)

    def _wrong_id(self, said: object) -> Mapping[str, Any]:
        if self._collection.entity.declaration.ids == "ulid":
            return fault(("id",), "ulid_format", "Is no ULID", said)
        return fault(("id",), "id_format", f"Is {ID_IN_WORDS}", said)


def _without_id(fields: Mapping[str, Any]) -> bytes:
    return _encode({name: value for name, value in fields.items() if name != "id"})
