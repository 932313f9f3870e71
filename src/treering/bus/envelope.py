"""What a record says, before anything of it is believed: CloudEvents, binary or structured."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from treering import ulid
from treering.bus.kafka import Record
from treering.bus.signature import fingerprint
from treering.errors import DeadLetter

type Said = Mapping[str, bytes | None]
"""Headers by name, as they stand; an empty one is a missing one."""

NO_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What reading JSON raises when it is none."""
LARGEST_BODY = 900_000
"""Bytes of a command's body; what is larger does not belong on Kafka."""
STRUCTURED = "application/cloudevents+json"
_LONGEST_ID = 128
_LONGEST_WORD = 256
_JSON = re.compile(r"application/([a-z0-9.-]+\+)?json\s*(;.*)?", re.IGNORECASE)
_attributes = msgspec.json.Decoder(dict[str, msgspec.Raw])
_value = msgspec.json.Decoder(str | int | float | bool | None)


class Address(msgspec.Struct, frozen=True):
    """Where the answer to a record goes, and to what."""

    command: str | None
    """The command's id; None if it is not readable."""
    fingerprint: bytes
    reply_to: int | None


def envelope(record: Record) -> tuple[Said, bytes]:
    """Return what *record* says beside its body, and the body's bytes as they stand."""
    said: Said = dict(record.headers)
    body = record.value or b""
    content = said.get("content-type")
    if content and content != b"application/json":
        return _other(content, said, body)
    return said, body


def append_time(record: Record) -> datetime:
    """Return when Kafka took *record*."""
    return datetime.fromtimestamp(record.timestamp / 1000, UTC)


def made_id(record: Record) -> str:
    """Return the id of a command that came without one: of its place and its append time."""
    return made_id_of(record.topic, record.partition, record.offset, append_time(record))


def made_id_of(topic: str, partition: int, offset: int, moment: datetime) -> str:
    """Return the id of a command that came without one."""
    return ulid.derive(moment, topic, str(partition), str(offset))


def command_id(said: Said, record: Record) -> str:
    """Return the command's id, made up if there is none."""
    return word(said, "ce_id", most=_LONGEST_ID) or made_id(record)


def word(said: Said, name: str, *, most: int = _LONGEST_WORD) -> str:
    """Return a header as text, "" if it is missing."""
    raw = said.get(name)
    if not raw:
        return ""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise _wrong(name, "is no UTF-8") from None
    if len(text) > most:
        raise _wrong(name, f"is longer than {most} characters")
    if not text.isprintable():
        raise _wrong(name, "holds a control character")
    return text


def version(said: Said) -> int | None:
    """Return the version that the sender expects the stream to stand at."""
    raw = said.get("ce_expectedversion")
    if not raw:
        return None
    if not raw.isdigit() or len(raw) > 10 or int(raw) >= 2**31:
        raise _wrong("ce_expectedversion", "is no version: a number from 0 on")
    return int(raw)


def said_time(said: Said) -> datetime | None:
    """Return when the sender said it."""
    text = word(said, "ce_time")
    if not text:
        return None
    try:
        moment = msgspec.convert(text, Annotated[datetime, msgspec.Meta(tz=True)])
        return moment.astimezone(UTC)
    except (msgspec.ValidationError, OverflowError):
        raise _wrong("ce_time", f"{text!r} is no time such as 2026-01-02T03:04:05Z") from None


def reply_to(said: Said) -> int | None:
    """Return the partition where the sender listens, if it says a number."""
    raw = said.get("reply-to")
    return int(raw) if raw and raw.isdigit() and len(raw) <= 6 else None


def address(record: Record, *, subject: bytes = b"") -> Address:
    """Return where the answer to *record* goes although it can not be read as a command.

    It is about *subject* unless it says what it is about.
    """
    try:
        said, body = envelope(record)
    except DeadLetter:
        said, body = dict(record.headers), record.value or b""
    try:
        command = command_id(said, record)
    except DeadLetter:
        command = None
    about = said.get("ce_subject") or subject
    fields = [said.get("ce_type") or b"", about, said.get("ce_expectedversion") or b"", body]
    return Address(command, fingerprint(fields), reply_to(said))


def _other(content: bytes, said: Said, value: bytes) -> tuple[Said, bytes]:
    kind = content.decode(errors="replace")
    if kind.partition(";")[0].strip().lower() == STRUCTURED:
        return _structured(said, value)
    if not _JSON.fullmatch(kind.strip()):
        raise _wrong("content-type", f"{kind!r} is not understood; send JSON")
    return said, value


def _structured(headers: Said, value: bytes) -> tuple[Said, bytes]:
    try:
        attributes = _attributes.decode(value)
    except NO_JSON as error:
        raise DeadLetter("not-json", f"The value is no CloudEvent in JSON: {error}.") from None
    if "data_base64" in attributes:
        raise DeadLetter("wrong-headers", "data_base64 is not understood; say it as data.")
    body = bytes(attributes.pop("data", b""))
    said = {_header(name): _attribute(name, raw) for name, raw in attributes.items()}
    kept = {name: headers.get(name) for name in ("reply-to", "traceparent")}
    return {**kept, **said}, body


def _header(attribute: str) -> str:
    return attribute if attribute == "traceparent" else f"ce_{attribute}"


def _attribute(name: str, raw: msgspec.Raw) -> bytes:
    try:
        value: Any = _value.decode(raw)
    except NO_JSON:
        raise _wrong(name, "is no text or number") from None
    if value is None:
        return b""
    return value.encode() if isinstance(value, str) else bytes(raw)


def _wrong(name: str, fault: str) -> DeadLetter:
    return DeadLetter("wrong-headers", f"{name}: {fault}.")
