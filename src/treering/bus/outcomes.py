"""Outcomes as records: never larger than Kafka takes, and the same whenever they are sent again."""

from collections.abc import Callable, Sequence

import msgspec

from treering.bus.kafka import Headers
from treering.bus.partitions import partition_of
from treering.errors import Problem
from treering.message import Outcome, Stream

_DEAD, _PARKED = b".dead", b".parked"
"""End the ids of answers that are not final: their commands may have an outcome besides."""
LARGEST_ENTITY = 64_000
_LARGEST_VALUE = 900_000
_MOST_ERRORS = 100
_LONGEST_TEXT = 1_000
_encode = msgspec.json.Encoder().encode
decode: Callable[[bytes], Outcome] = msgspec.json.Decoder(Outcome).decode


class OutcomeRecord(msgspec.Struct, frozen=True):
    """What is sent to the outcomes topic."""

    partition: int
    key: bytes
    value: bytes
    headers: Headers


class OutcomeWriter:
    """Writes outcomes as records for a topic of so many *partitions*."""

    def __init__(self, namespace: str, partitions: int) -> None:
        self._partitions = partitions
        self._fixed = [
            ("ce_specversion", b"1.0"),
            ("ce_type", b"outcome.v1"),
            ("ce_source", f"/{namespace}".encode()),
            ("content-type", b"application/json"),
        ]

    def record(
        self,
        outcome: Outcome,
        fingerprint: bytes,
        reply_to: int | None,
        *,
        subject: Stream | None = None,
    ) -> OutcomeRecord:
        """Return the record that tells who said the command with this *fingerprint*.

        *subject* is what was asked about, where the outcome does not say it.
        """
        key = outcome.command.encode()
        headers = [
            *self._fixed,
            ("ce_id", outcome_id(outcome.command, fingerprint) + _ending(outcome)),
            ("ce_causationid", key),
        ]
        if stream := outcome.stream or subject:
            headers.append(("ce_subject", stream.encode()))
        if reply_to is None or reply_to >= self._partitions:
            reply_to = partition_of(outcome.command, self._partitions)
        return OutcomeRecord(reply_to, key, value(outcome), headers)


def outcome_id(command: str, fingerprint: bytes) -> bytes:
    """Return the id of the outcome of what was said.

    Two bodies under one command id have two outcomes, and whoever asked can tell which is its own.
    """
    return f"{command}.{fingerprint.hex()}".encode()


def asked_by(id: bytes) -> bytes:
    """Return the id under which an outcome is waited for, final or not."""
    return id.removesuffix(_DEAD).removesuffix(_PARKED)


def _ending(outcome: Outcome) -> bytes:
    return _DEAD if outcome.dead else _PARKED if outcome.parked else b""


def value(outcome: Outcome) -> bytes:
    """Return *outcome* in JSON, without what would make it too large."""
    encoded = _encode(outcome)
    if len(encoded) <= LARGEST_ENTITY:
        return encoded
    if outcome.entity is not None and len(_encode(outcome.entity)) > LARGEST_ENTITY:
        outcome = msgspec.structs.replace(outcome, entity=None)
        encoded = _encode(outcome)
    if len(encoded) <= _LARGEST_VALUE:
        return encoded
    problem = _short(outcome.problem) if outcome.problem is not None else None
    return _encode(msgspec.structs.replace(outcome, entity=None, changes=(), problem=problem))


def _short(problem: Problem) -> Problem:
    """Return the problem with the first of its errors, and its texts cut."""
    short: Problem = {name: _cut(problem[name]) for name in ("type", "title", "status", "detail")}
    errors: Sequence[Problem] = problem.get("errors", ())
    short["errors"] = [
        {name: _cut(item) for name, item in error.items() if name in ("path", "type", "msg")}
        for error in errors[:_MOST_ERRORS]
    ]
    return short


def _cut(item: object) -> object:
    return item[:_LONGEST_TEXT] if isinstance(item, str) else item
