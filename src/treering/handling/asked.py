"""What a command asks: of which streams, and by whose rules."""

from collections.abc import Sequence
from typing import Any

import msgspec

from treering.decider import Decider
from treering.message import Malformed, Received, Stream
from treering.registry import Registry


class Asked(msgspec.Struct, frozen=True, gc=False):
    """A command, the rules that it obeys, and the streams that it is about, its subject first."""

    received: Received[Any]
    decider: Decider[Any]
    streams: Sequence[Stream]


def asked(registry: Registry, received: Received[Any]) -> Asked:
    """Return what *received* asks; raises UnknownMessage if its kind is not known."""
    decider = registry.decider_of(received.stream)
    if isinstance(received.command, Malformed):
        return Asked(received, decider, ())
    if decider.concerns is None:
        return Asked(received, decider, (received.stream,))
    streams = dict.fromkeys((received.stream, *decider.concerns(received)))
    return Asked(received, decider, tuple(streams))
