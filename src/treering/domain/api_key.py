"""An API key: who may ask, and what; the store holds a digest, and nobody but its bearer the key.

Its id is its name, which no other key ever has again, so that `api-key/<name>` says for good who
did something.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, assert_never

import msgspec

from treering.decider import Decider, Representation
from treering.entity.validation import fault, invalid, stamp
from treering.errors import AlreadyExists, NotFound, Refusal
from treering.message import EPOCH, Command, Event, Received, Recorded, Stream, id_of

KIND = "api-key"
UNSIGNED = "kafka"
"""The actor of commands that nobody has signed."""

type Access = Literal["read", "write", "admin"]
"""What its bearer may: read; write too; and make keys, and see who did what."""
type Prefix = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{12}$")]
"""The part of a key that everybody may see, by which it is found."""
type Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
"""SHA-256 of the whole key, in hexadecimal."""
type Moment = Annotated[datetime, msgspec.Meta(tz=True)]
type Words = Annotated[str, msgspec.Meta(max_length=200)]


class IsRevoked(Refusal, word="is-revoked", title="Is revoked"):
    """The key was revoked, for good."""


class Forbidden(Refusal, word="forbidden", title="Forbidden", status=403):
    """Whoever asks is known, and may not do this."""


class Issue(Command, type="api-key.issue.v1"):
    """Let whoever has the key with this digest in, under the name that the subject says."""

    prefix: Prefix
    digest: Digest
    access: Access = "write"
    expires_at: Moment | None = None
    note: Words = ""


class Rotate(Command, type="api-key.rotate.v1"):
    """Take another key under the same name; the one of before is refused from now on."""

    prefix: Prefix
    digest: Digest
    expires_at: Moment | None = None


class Revoke(Command, type="api-key.revoke.v1"):
    """Refuse the key, for good."""

    reason: Words = ""


class Issued(Event, type="api-key.issued.v1"):
    """Whoever has the key with this digest is let in."""

    prefix: str
    digest: str
    access: Access
    expires_at: datetime | None = None
    note: str = ""


class Rotated(Event, type="api-key.rotated.v1"):
    """Another key is let in instead."""

    prefix: str
    digest: str
    expires_at: datetime | None = None


class Revoked(Event, type="api-key.revoked.v1"):
    """The key is refused, for good."""

    reason: str = ""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one key."""

    status: Literal["absent", "issued", "revoked"] = "absent"
    prefix: str = ""
    digest: str = ""
    access: Access = "read"
    expires_at: datetime | None = None
    note: str = ""
    created_at: datetime = EPOCH
    created_by: str = ""
    changed_at: datetime = EPOCH

    def lets_in(self, now: datetime) -> bool:
        """Say whether whoever has it is let in at that moment."""
        return self.status == "issued" and (self.expires_at is None or now < self.expires_at)


def decide(key: Key, received: Received[Issue | Rotate | Revoke]) -> Sequence[Event]:
    """Return what follows from the command; who says it has to be known."""
    said, stream = received.command, received.stream
    if received.actor == UNSIGNED:
        raise Forbidden("A command about keys has to be signed: ask over HTTP or `treering keys`.")
    match said:
        case Issue():
            if key.status != "absent":
                raise AlreadyExists(f"{stream} exists already; a name is never given again.")
            return [Issued(**_taken(said, received.now))]
        case Rotate():
            _require(key, stream)
            if key.status == "revoked":
                raise IsRevoked(f"{stream} was revoked; make a key with another name.")
            return [Rotated(**_taken(said, received.now))]
        case Revoke():
            _require(key, stream)
            return [Revoked(reason=said.reason)] if key.status == "issued" else []
        case _:
            assert_never(said)


def evolve(key: Key, recorded: Recorded[Issued | Rotated | Revoked]) -> Key:
    """Return the key after one event."""
    event, at = recorded.event, recorded.recorded_at
    match event:
        case Issued():
            return Key(
                status="issued",
                created_at=at,
                created_by=recorded.actor,
                changed_at=at,
                **msgspec.structs.asdict(event),
            )
        case Rotated():
            return msgspec.structs.replace(key, changed_at=at, **msgspec.structs.asdict(event))
        case Revoked():
            return msgspec.structs.replace(key, status="revoked", changed_at=at)
        case _:
            assert_never(event)


def represent(stream: Stream, key: Key) -> Representation | None:
    """Return the key as others may see it: nothing of what lets its bearer in."""
    if key.status == "absent":
        return None
    return {
        "id": id_of(stream),
        "prefix": key.prefix,
        "access": key.access,
        "note": key.note,
        "is_revoked": key.status == "revoked",
        "expires_at": key.expires_at and stamp(key.expires_at),
        "created_at": stamp(key.created_at),
        "created_by": key.created_by,
        "updated_at": stamp(key.changed_at),
    }


def _taken(said: Issue | Rotate, now: datetime) -> dict[str, Any]:
    """Return what the command says; raises InvalidBody if the key would never let anybody in."""
    fields = msgspec.structs.asdict(said)
    if said.expires_at is not None:
        fields["expires_at"] = said.expires_at.astimezone(UTC)
        if said.expires_at <= now:
            raise invalid(
                [fault(("expires_at",), "past", "Is over already", stamp(said.expires_at))]
            )
    return fields


def _require(key: Key, stream: Stream) -> None:
    if key.status == "absent":
        raise NotFound(f"{stream} does not exist.")


api_key = Decider[Key](
    kind=KIND,
    initial=Key(),
    decide=decide,
    evolve=evolve,
    commands=[Issue, Rotate, Revoke],
    events=[Issued, Rotated, Revoked],
    represent=represent,
)
