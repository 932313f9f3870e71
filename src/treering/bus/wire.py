"""From a Kafka record to the command that it carries."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from treering import ulid
from treering.bus.envelope import (
    LARGEST_BODY,
    NO_JSON,
    Said,
    append_time,
    command_id,
    envelope,
    reply_to,
    said_time,
    version,
    word,
)
from treering.bus.faults import malformed
from treering.bus.kafka import Record
from treering.bus.newer import newer
from treering.bus.signature import fingerprint, is_signed
from treering.decider import Decider
from treering.entity.validation import nearest
from treering.errors import DeadLetter, NewerCommand, UpcastFailed
from treering.message import DEFAULT_TENANT, MessageType, Received, Stream
from treering.registry import Registry
from treering.schema import SchemaRegistry

_ID = re.compile(r"(?!\.\.?$)[A-Za-z0-9._:-]{1,128}", re.ASCII)
_STREAM = re.compile(rb"([a-z][a-z0-9-]*)/[A-Za-z0-9._:-]{1,128}")


class CommandReader:
    """Reads records as commands of the types that *registry* knows.

    With *require_signature*, as long as it says so, a record that is not signed, or wrongly, is a
    dead letter; without, it is one whose actor is `kafka`.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        secret: bytes | None = None,
        require_signature: bool | Callable[[], bool] = False,
        schemas: SchemaRegistry | None = None,
    ) -> None:
        self._registry = registry
        self._schemas = schemas or SchemaRegistry()
        self._secret = secret
        self._require_signature = require_signature

    def read(self, record: Record, *, horizon: datetime | None = None) -> Received[Any]:
        """Return the command of *record*; raises DeadLetter if it can not become one.

        Raises NewerCommand if it is of a type, or of a revision of its type, that only a newer
        release knows.
        A body that does not fit its type is `Malformed`: that is refused, not dead. Before
        *horizon* verdicts have been dropped, so that nothing older may be decided.
        """
        said, body = envelope(record)
        command = command_id(said, record)
        now = append_time(record)
        if len(body) > LARGEST_BODY:
            raise DeadLetter(
                "too-large", f"The body has {len(body)} bytes, {LARGEST_BODY} are allowed.", 413
            )
        if horizon is not None and now < horizon:
            raise DeadLetter(
                "too-old",
                f"It was sent before {horizon.isoformat()}, from when on verdicts are kept; "
                "send it again under a new id if it is still meant.",
                410,
            )
        signed = self._signed(said, body)
        tenant = (signed and word(said, "ce_tenant")) or DEFAULT_TENANT
        kind = self._type(said, command, tenant)
        stream, subject = self._stream(record, said, kind, command, now)
        fields = (kind.name.encode(), subject, said.get("ce_expectedversion") or b"", body)
        return Received(
            id=command,
            type=kind.name,
            stream=stream,
            command=_command(kind, body),
            now=now,
            time=said_time(said) or now,
            tenant=tenant,
            actor=(signed and word(said, "ce_actor")) or "kafka",
            expected=version(said),
            correlation=word(said, "ce_correlationid") or command,
            causation=word(said, "ce_causationid") or None,
            traceparent=word(said, "traceparent") or None,
            fresh=not subject,
            fingerprint=fingerprint(fields),
            reply_to=reply_to(said),
        )

    def _type(self, said: Said, command: str, tenant: str) -> MessageType[Any]:
        name = word(said, "ce_type")
        if said.get("ce_specversion") not in (None, b"", b"1.0"):
            raise DeadLetter("wrong-headers", "ce_specversion: only 1.0 is understood.")
        revision = newer(name, said, self._registry, self._schemas)
        if revision is not None:
            raise NewerCommand(command, name, revision, tenant=tenant)
        if (kind := self._registry.command(name)) is not None:
            return kind
        if not name:
            raise DeadLetter("unknown-type", "ce_type is missing: it says which command this is.")
        near = nearest(name, [*self._registry.commands])
        hint = f"; did you mean {near!r}?" if near else "."
        raise DeadLetter("unknown-type", f"This service knows no command {name!r}{hint}")

    def _signed(self, said: Said, body: bytes) -> bool:
        given = said.get("ce_signature")
        if given and self._secret is not None:
            fields = [said.get(name) or b"" for name in SIGNED]
            if is_signed(self._secret, [*fields, body], given):
                return True
        demanded = self._require_signature
        if demanded() if callable(demanded) else demanded:
            how = "is wrongly signed" if given else "is not signed"
            raise DeadLetter(
                "unsigned", f"The command {how}, and this service takes no other.", 401
            )
        return False

    def _stream(
        self, record: Record, said: Said, kind: MessageType[Any], command: str, now: datetime
    ) -> tuple[Stream, bytes]:
        """Return the stream, and the subject as it was said: empty if it had to be made."""
        name = kind.name.partition(".")[0]
        decider = self._registry.deciders[name]
        creates = self._registry.creates(kind)
        subject = said.get("ce_subject") or self._key(record, said, creates=creates)
        if subject:
            return _checked(decider, subject), subject
        if not creates:
            raise DeadLetter(
                "no-subject", f"{kind.name} needs the stream it is about: say ce_subject."
            )
        return f"{name}/{ulid.derive(now, command)}", b""

    def _key(self, record: Record, said: Said, *, creates: bool) -> bytes:
        """Return the record's key if it is a stream; a create's may be the command's id instead."""
        key = record.key
        if not key or (creates and key == said.get("ce_id")):
            return b""
        match = _STREAM.fullmatch(key)
        return key if match and match[1].decode() in self._registry.deciders else b""


SIGNED = ("ce_id", "ce_tenant", "ce_actor", "ce_type", "ce_subject", "ce_expectedversion")
"""The headers that are signed, in this order; the body follows."""


def _checked(decider: Decider[Any], raw: bytes) -> Stream:
    """Return the stream that *raw* names; raises DeadLetter unless *decider* takes it."""
    subject = raw.decode(errors="replace")
    kind, _, name = subject.partition("/")
    if not _ID.fullmatch(name):
        raise DeadLetter(
            "wrong-subject",
            f"{subject[:200]!r} is no stream: <kind>/<id>, the id 1-128 of A-Z a-z 0-9 . _ : - "
            "but not . or .. alone",
        )
    if kind != decider.kind:
        raise DeadLetter("wrong-subject", f"{subject!r} is no {decider.kind}.")
    if decider.ids == "any":
        return subject
    if (normal := ulid.normal(name)) is None:
        raise DeadLetter("wrong-subject", f"{subject!r}: the id of a {kind} is a ULID.")
    return f"{kind}/{normal}"


def _command(kind: MessageType[Any], body: bytes) -> Any:
    try:
        return kind.decode(body)
    except NO_JSON as error:
        return malformed(kind.body, body, error)
    except UpcastFailed as error:
        raise DeadLetter("upcast-failed", str(error), 422) from error
