"""What goes wrong between HTTP and a command, told by RFC 9457, with nothing of our inside."""

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from treering.errors import Problem, Refusal

type Headers = Mapping[str, str]

_encode = msgspec.json.Encoder().encode


class Unreadable(Refusal, word="bad-request", title="Bad request", status=400):
    """The request cannot be read: no JSON, no UTF-8."""


class InvalidUlid(Refusal, word="invalid-ulid", title="Invalid ULID", status=400):
    """The path names no ULID where the kind has nothing else."""


class MethodNotAllowed(Refusal, word="method-not-allowed", title="Method not allowed", status=405):
    """The address is there, but not for this method; `allowed` names those that are."""


class Unanswerable(Refusal, word="unanswerable", title="Cannot be answered", status=422):
    """PostgreSQL does not take the question, whenever it is asked; the log says why."""


class TooLarge(Refusal, word="too-large", title="Too large", status=413):
    """The body is larger than a command may be."""


class LongAddress(Refusal, word="long-address", title="Address too long", status=414):
    """The address, with what is asked, is longer than is taken."""


class HeadTooLarge(Refusal, word="head-too-large", title="Headers too large", status=431):
    """The address and headers are larger than is taken."""


class UnsupportedType(
    Refusal, word="unsupported-media-type", title="Unsupported media type", status=415
):
    """The body is not said to be JSON in UTF-8."""


class NotAcceptable(Refusal, word="not-acceptable", title="Not acceptable", status=406):
    """There is no such form of it as the client takes; `available` lists those that there are."""


class Unauthorized(Refusal, word="unauthorized", title="Unauthorized", status=401):
    """Nobody knows who asks; `header` names where to say the key."""


class CrossSite(Refusal, word="cross-site", title="Cross-site request", status=403):
    """A page of another site wants to write here."""


class NotServed(Refusal, word="not-served", title="Not served", status=403):
    """The entity is declared without this command over HTTP."""


class UnknownHost(Refusal, word="unknown-host", title="Unknown host", status=421):
    """The request is for a name that is none of ours."""


class OtherEpoch(Refusal, word="other-epoch", title="Position of another store", status=412):
    """The position was given before the store was restored from a backup."""


class ReadModelBehind(Refusal, word="read-model-behind", title="Read model behind", status=503):
    """The read model has not reached the position that was demanded."""


class ReadModelAway(Refusal, word="read-model-away", title="Read model not taken up", status=503):
    """The read model was not built for this release yet, or is held because its rows differ."""


class ReleaseTooOld(Refusal, word="release-too-old", title="Release too old", status=503):
    """What is asked for was written by a newer release; ask one of its gateways."""


class TooLong(Refusal, word="too-long", title="Too long", status=413):
    """There are more rows than a list has which is asked for whole."""


class TooMany(Refusal, word="too-many", title="Too many at once", status=503):
    """As many such requests as this process takes at once are being answered."""


class TooSlow(Refusal, word="too-slow", title="Too slow", status=503):
    """What was to be sent to a client has grown too much; it begins again where it has got to."""


class Draining(Refusal, word="draining", title="This process ends", status=503):
    """The process ends, and another one goes on."""


class TimedOut(Refusal, word="timed-out", title="Timed out", status=503):
    """The request took longer than a request may."""


class DatabaseAway(Refusal, word="database", title="Database unavailable", status=503):
    """PostgreSQL cannot be reached, or is not ready."""


class KafkaAway(Refusal, word="kafka", title="Kafka unavailable", status=503):
    """Kafka did not take the command, or nobody knows whether it did; `status_url` will."""


class NoOutcome(Refusal, word="no-outcome", title="No outcome yet", status=504):
    """The command is on Kafka, its outcome has not come yet; `status_url` will have it."""


class Internal(Refusal, word="internal", title="Internal error", status=500):
    """A fault of ours; the log has the rest."""


_SHOWN = 1000
"""Characters of a member that JSON has no word for."""
_PARKED = "urn:treering:error:parked"
"""It will be decided: nobody should send it again."""


def is_parked(problem: Problem) -> bool:
    """Tell whether *problem* is that a command waits for a newer release, which will decide it."""
    return problem["type"] == _PARKED


def answer(problem: Problem, path: str, headers: Headers | None = None) -> Response:
    """Return *problem* as the answer to a request for *path*."""
    status = int(problem.get("status", 500))
    if status == 503 and not is_parked(problem):
        headers = {"Retry-After": "1", **(headers or {})}
    if status == 401 and "header" in problem:
        asked = f'ApiKey realm="treering", header="{problem["header"]}"'
        headers = {"WWW-Authenticate": asked, **(headers or {})}
    return Response(
        _written({**problem, "instance": path}),
        status_code=status,
        headers=headers,
        media_type="application/problem+json",
    )


def _written(problem: Problem) -> bytes:
    """Return *problem* as JSON; a member that JSON has no word for is told as text."""
    try:
        return _encode(problem)
    except (TypeError, ValueError, RecursionError):
        return _encode({name: _told(value) for name, value in problem.items()})


def _told(value: object) -> object:
    try:
        _encode(value)
    except (TypeError, ValueError, RecursionError):
        return str(value)[:_SHOWN].encode("utf-8", "replace").decode()
    return value
