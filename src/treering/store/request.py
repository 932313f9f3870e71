"""What is asked of the store: events of some streams and their commands' verdicts, all or none."""

import random
from collections.abc import Sequence
from datetime import datetime

import msgspec

from treering.message import Position, Stream, Verdict, Version
from treering.rulebook import Reference


class Origin(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where events come from: the command that made them."""

    command: str
    time: datetime
    tenant: str
    actor: str
    correlation: str
    traceparent: str | None = None


def event_id() -> str:
    """Return an id that no other event has, nor will have in a store restored from a backup."""
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One event to append, encoded."""

    stream: Stream
    version: Version
    type: str
    body: str
    origin: Origin
    id: str = msgspec.field(default_factory=event_id)


class Stand(msgspec.Struct, frozen=True, gc=False):
    """The version a stream must have, and the one it has afterwards; the same: a guard."""

    stream: Stream
    expected: Version
    becomes: Version


class Ruling(msgspec.Struct, frozen=True, gc=False):
    """A verdict to keep; `first` and `last` are places among the request's entries, from 1."""

    verdict: Verdict
    first: int | None = None
    last: int | None = None


class Key(msgspec.Struct, frozen=True, gc=False):
    """A unique key and the stream that takes or releases it."""

    key: str
    stream: Stream

    @property
    def is_name(self) -> bool:
        """Whether it is the stream's own name, held while the stream can be referred to."""
        return self.key == self.stream


class Request(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All or none: entries, the stands they rest on, keys, references, its commands' verdicts."""

    stands: Sequence[Stand]
    rulings: Sequence[Ruling]
    entries: Sequence[Entry] = ()
    released: Sequence[Key] = ()
    taken: Sequence[Key] = ()
    dropped: Sequence[Reference] = ()
    made: Sequence[Reference] = ()
    """References: who is named must hold its name, and lets go of it only unnamed."""
    erased: Sequence[Stand] = ()
    """Streams whose events before version `expected` are emptied."""


class Appended(msgspec.Struct, frozen=True, gc=False):
    """Yes: the entries stand at `base` + 1 and on."""

    base: Position
    recorded_at: datetime


class Trouble(msgspec.Struct, frozen=True, gc=False):
    """One thing that stood in the way."""

    word: str
    """What it is: a `duplicate`, command `name` has its verdict; a `conflict`, stream `name` stands
    at `version`; a `taken` key `name`, held by `holder`; a `missing` stream `name`, to which the
    `field` of `holder` refers; a `referred` stream `name`, to which `count` refer, as `holder`."""
    name: str
    holder: str | None = None
    version: Version = 0
    field: str = ""
    count: int = 0
    """At most 1,001, which stands for more."""


class Hindered(msgspec.Struct, frozen=True, gc=False):
    """No: nothing of the request was done, because of these."""

    troubles: Sequence[Trouble]


type Answer = Appended | Hindered
