"""What a client says over a WebSocket: what it wants to know, and what no longer."""

from typing import Annotated, Any

import msgspec

type Named = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class Subscribe(msgspec.Struct, tag_field="type", tag="subscribe", forbid_unknown_fields=True):
    """Entities of a collection that match, and then what becomes of them; or events."""

    id: Named
    """What the client calls it."""
    collection: str | None = None
    """Such as `datasets`; events without."""
    filter: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    """Conditions, in the JSON form of the query language."""


class Unsubscribe(msgspec.Struct, tag_field="type", tag="unsubscribe", forbid_unknown_fields=True):
    """No longer."""

    id: Named


class Ping(msgspec.Struct, tag_field="type", tag="ping", forbid_unknown_fields=True):
    """Whether anybody is there."""


type Asked = Subscribe | Unsubscribe | Ping

read = msgspec.json.Decoder(Subscribe | Unsubscribe | Ping).decode
