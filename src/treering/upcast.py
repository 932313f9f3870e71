"""Bodies of older types, read as what would be written today.

What was recorded is never changed, and old senders go on for a while: so a type that changes gets
the next version, and an upcast says how a body of the one before reads as one of that.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from treering.errors import DeclarationError, UpcastFailed
from treering.message import MessageType

type Body = dict[str, Any]

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


class Upcast(msgspec.Struct, frozen=True, kw_only=True):
    """How a body of the type *old* reads as one of *new*, which may be an old one itself.

    Upcast(old="tank.opened.v1", new="tank.opened.v2", change=lambda body: {**body, "unit": "l"})
    """

    old: str
    new: str
    change: Callable[[Body], Body]
    """Pure: takes the JSON object that was written, returns the one that would be today."""
    written: Callable[..., object] | None = None
    """What somebody wrote, where `change` only wraps it."""
    more: str = ""
    """What decides besides the code how a body is read."""

    def of(self, body: Body) -> Body:
        """Return *body* as one of the new type; raises UpcastFailed if that can not be."""
        try:
            return _object(self.change(body))
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            said = f"A body of {self.old} can not be read as {self.new}: {why}."
            raise UpcastFailed(said) from error


def older(
    types: Mapping[str, MessageType[Any]], upcasts: Iterable[Upcast]
) -> dict[str, MessageType[Any]]:
    """Return the old types that *upcasts* lead to one of *types*; they read what was written.

    Raises DeclarationError where an upcast leads nowhere, or in a circle.
    """
    steps: dict[str, Upcast] = {}
    for each in upcasts:
        if each.old in steps or each.old in types:
            raise DeclarationError(
                f"{each.old!r} is read in two ways: it is a type of today, or has two upcasts."
            )
        steps[each.old] = each
    return {old: _older(old, [*_chain(old, steps, types)], types) for old in steps}


def _chain(
    old: str, steps: Mapping[str, Upcast], types: Mapping[str, MessageType[Any]]
) -> Iterator[Upcast]:
    name = old
    for _ in steps:
        if (step := steps.get(name)) is None:
            break
        yield step
        name = step.new
    if name not in types:
        raise DeclarationError(
            f"The upcast of {old!r} leads to {name!r}, which is no type of today: declare that, or "
            "an upcast of it."
        )


def _older(
    old: str, chain: Sequence[Upcast], types: Mapping[str, MessageType[Any]]
) -> MessageType[Any]:
    now = types[chain[-1].new]

    def read(raw: bytes | str) -> Any:
        body = _decode(raw)
        for step in chain:
            body = step.of(body)
        try:
            return now.decode(_encode(body))
        except (msgspec.MsgspecError, TypeError, ValueError, RecursionError) as error:
            raise UpcastFailed(
                f"A body of {old}, read as {now.name}, does not fit: {error}."
            ) from error

    return MessageType(
        name=old, body=now.body, decode=read, encode=now.encode, schema=now.schema, now=now.name
    )


def _object(body: object) -> Body:
    return msgspec.convert(body, dict[str, Any])
