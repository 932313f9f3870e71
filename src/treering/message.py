"""What travels and what is kept: commands, events, and what surrounds them.

A message is a body with a type name such as `config.created.v1`. On its way in it is `Received`,
once stored it is `Recorded`; both are the body with its surroundings, never mixed.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, dataclass_transform

import msgspec

from treering.errors import Problem

type Position = int
"""The place of an event in the store: 1, 2, 3 … without a gap."""
type Version = int
"""The place of an event in its stream; a stream that does not exist stands at 0."""
type Stream = str
"""`<kind>/<id>`, such as `dataset/rain`."""

DEFAULT_TENANT = "default"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def kind_of(stream: Stream) -> str:
    """Return the kind of *stream*."""
    return stream.partition("/")[0]


def id_of(stream: Stream) -> str:
    """Return the id within the kind of *stream*."""
    return stream.partition("/")[2]


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class _MessageMeta(msgspec.StructMeta):
    def __new__(
        cls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        type: str = "",
        erases: bool = False,
        deprecated: bool = False,
        **options: Any,
    ) -> Any:
        namespace = {**namespace, "message_type": type, "erases": erases}
        namespace["deprecated"] = deprecated
        options = {"frozen": True, "kw_only": True, **options}
        return super().__new__(cls, name, bases, namespace, **options)


class Message(msgspec.Struct, metaclass=_MessageMeta):
    """The base of all commands and events: frozen, keyword-only, named by its type."""

    message_type: ClassVar[str] = ""
    erases: ClassVar[bool] = False
    deprecated: ClassVar[bool] = False
    """Whether it is still taken, and nobody should send it any more."""


class Command(Message, forbid_unknown_fields=True):
    """Something that somebody wants: its name is imperative.

    class StartRun(Command, type="run.start.v1"):
        model: str
    """


class Malformed(Command):
    """A command whose body does not fit its type: it is refused, with every fault."""

    detail: str
    errors: list[dict[str, Any]]


class Event(Message):
    """Something that happened: its name is in the past tense.

    With `erases=True` the bodies of all earlier events of its stream are emptied in the same call.

    class RunStarted(Event, type="run.started.v1"):
        model: str
    """


class Erased(Event):
    """What is left of an event whose body was emptied: folds pass over it."""


class Received[C: Command](msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A command as it was received, with who says it, when and because of what."""

    id: str
    """The command's id; sending it twice is safe."""
    type: str
    stream: Stream
    """The stream that it is about."""
    command: C
    now: datetime
    """When Kafka took it: the same on every redelivery, and nobody's to forge."""
    time: datetime
    """When the sender said it."""
    tenant: str = DEFAULT_TENANT
    actor: str = "kafka"
    expected: Version | None = None
    """Decide only if the stream stands here."""
    correlation: str
    causation: str | None = None
    traceparent: str | None = None
    fresh: bool = False
    """Whether its stream was made up for it, so that there is nothing to load."""
    fingerprint: bytes = b""
    """A digest of what the client said, so that a reused id is seen."""
    reply_to: int | None = None
    """The partition of the outcomes topic where the sender listens."""


class Recorded[E: Event](msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event as it was stored."""

    position: Position
    stream: Stream
    version: Version
    id: str
    type: str
    event: E
    time: datetime
    """When its command was said."""
    recorded_at: datetime
    """When the store took it; never runs backwards along positions."""
    tenant: str = DEFAULT_TENANT
    actor: str = "kafka"
    correlation: str = ""
    causation: str = ""
    """The id of the command that made it."""
    traceparent: str | None = None


class Stored(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event as its row says, its body not read yet; `Registry.recorded` reads it."""

    position: Position
    stream: Stream
    version: Version
    id: str
    type: str
    body: str
    """JSON; empty if it was erased."""
    time: datetime
    recorded_at: datetime
    tenant: str
    actor: str
    correlation: str
    causation: str
    traceparent: str | None


type OutcomeWord = Literal["accepted", "refused", "nothing"]


class Change(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where one of the streams stands that a command has changed."""

    stream: Stream
    version: Version


class Verdict(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was decided of one command, once and for all."""

    id: str
    tenant: str = DEFAULT_TENANT
    fingerprint: bytes
    outcome: OutcomeWord
    stream: Stream
    version: Version
    """Where the stream stood after it."""
    problem: Problem | None = None
    positions: tuple[Position, Position] | None = None
    """The first and the last event, inclusive."""
    changes: Sequence[Change] = ()
    """All changed streams, if there is another one than `stream`."""
    recorded_at: datetime = EPOCH


class Outcome(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What a sender is told about its command: exactly one verdict, however often it arrives."""

    command: str
    outcome: OutcomeWord
    stream: Stream | None = None
    version: Version | None = None
    positions: tuple[Position, Position] | None = None
    changes: Sequence[Change] = ()
    entity: Mapping[str, Any] | None = None
    """The entity as of `version`; left out above 64 kB."""
    problem: Problem | None = None
    dead: bool = False
    """A dead letter's answer: not final, it may be redriven."""
    parked: bool = False
    """Of a command that waits for a newer handler: not final, that one will decide it."""


class MessageType[M: Message](msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One type name with how its bodies are read, written and described."""

    name: str
    body: type[M]
    decode: Callable[[bytes | str], M]
    encode: Callable[[M], bytes]
    schema: Callable[[], dict[str, Any]]
    now: str | None = None
    """Of an old type: the one that its bodies are read as."""


def message_type[M: Message](body: type[M]) -> MessageType[M]:
    """Return the type of messages whose JSON is exactly the fields of *body*."""
    return MessageType(
        name=body.message_type,
        body=body,
        decode=msgspec.json.Decoder(body).decode,
        encode=msgspec.json.Encoder().encode,
        schema=lambda: msgspec.json.schema(body),
    )
