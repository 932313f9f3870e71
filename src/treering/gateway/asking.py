"""From a command to its answer: publish, wait for the outcome, then until it can be read."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response

from treering import metrics, ulid
from treering.bus import Client, OutcomeTimeout
from treering.errors import BusError, Refusal, StoreError, WrongVersion
from treering.gateway.broker import Broker
from treering.gateway.freshness import BEHIND, POSITION
from treering.gateway.http.caching import tag_of, version_in
from treering.gateway.http.guard import bearer_of, require
from treering.gateway.http.idempotency import command_of, is_reused, key_of, reused
from treering.gateway.http.preferences import Preferences, preferences, shaped
from treering.gateway.http.problem import KafkaAway, NoOutcome, answer
from treering.gateway.http.query import Parser, parsed
from treering.gateway.positions import Epoch
from treering.handling import outcome_of
from treering.message import Outcome, Position, Stream, Version, kind_of
from treering.reading import ReadModels
from treering.registry import Registry
from treering.store import Reader

COMMANDS = "/api/v1/commands"
_GUARDED = frozenset({"api-key", "index-advice", "projection"})
"""Kinds whose commands are those of who runs the service."""
_TRACE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_NO_PARAMETERS: Mapping[str, Parser] = MappingProxyType({})
_encode = msgspec.json.Encoder().encode
_log = structlog.get_logger("treering.gateway")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A command as a request says it."""

    type: str
    body: bytes = b"{}"
    subject: str | None = None
    id: str | None = None
    expected: int | None = None
    dataschema: str | None = None
    shows_entity: bool = True
    """Whether the answer needs the entity, however large it is."""


type Shown = Callable[[Outcome], Response]
"""What an outcome that is no refusal looks like."""


class Asking:
    """Asks for commands on behalf of requests."""

    def __init__(  # noqa: PLR0913 - the parts of a write, put together once
        self,
        client: Client,
        broker: Broker,
        reader: Reader,
        registry: Registry,
        read_models: ReadModels,
        epoch: Epoch,
        *,
        own: Mapping[str, str],
        wait_seconds: float,
        visible_seconds: float,
    ) -> None:
        self._client = client
        self._broker = broker
        self._reader = reader
        self._registry = registry
        self._read_models = read_models
        self._epoch = epoch
        self._own = own
        """The read model of each kind that has one."""
        self._wait_seconds = wait_seconds
        self._visible_seconds = visible_seconds

    async def answer(
        self,
        request: Request,
        asked: Asked,
        shown: Shown,
        known: Mapping[str, Parser] = _NO_PARAMETERS,
    ) -> Response:
        """Publish what is asked and answer as its outcome is *shown*, once it can be read.

        Parameters that are not *known* are refused.

        A refusal is answered as its problem. Raises KafkaAway or NoOutcome, both with the
        address where the outcome will be. Once there is an outcome nothing else can spoil it.
        """
        parsed(request.scope["query_string"], known)
        prefers, key = preferences(request), key_of(request)
        command = asked.id or _id(request, key)
        try:
            outcome = await self._outcome(self._said(request, asked, command), prefers)
        except BusError as error:
            raise await self._silence(error, command) from error
        if outcome is None:
            return _accepted(command)
        if outcome.problem is not None:
            if key is not None and is_reused(outcome.problem):
                raise reused(key)
            return answer(outcome.problem, request.scope["path"])
        headers = await self._headers(outcome)
        if outcome.entity is None and asked.shows_entity and prefers.returns != "minimal":
            outcome = await self._whole(outcome)
        response = shaped(shown(outcome), prefers)
        response.headers.update(headers)
        return response

    async def _outcome(self, said: dict[str, Any], prefers: Preferences) -> Outcome | None:
        """Publish what is *said* and return its outcome; None to who would rather not wait."""
        if prefers.is_async and not prefers.wait:
            await self._client.publish(**said)
            return None
        wait = min(prefers.wait or self._wait_seconds, self._wait_seconds)
        try:
            return await self._client.ask(**said, timeout=wait)
        except OutcomeTimeout as error:
            if prefers.is_async and error.is_taken:
                return None
            raise

    async def answers(
        self,
        request: Request,
        asked: Sequence[Asked],
        known: Mapping[str, Parser] = _NO_PARAMETERS,
        *,
        attempt: str = "",
    ) -> tuple[Sequence[Outcome | Refusal], Mapping[str, str]]:
        """Publish all that is *asked* at once; return what came of each, once it can be read.

        A request that asks several times says which *attempt* it is, as under an idempotency key
        ids follow from that. Beside the outcomes there are headers, of the last of them that is
        stored. What Kafka or nobody has answered is told as a refusal with the address where its
        outcome will be.
        """
        parsed(request.scope["query_string"], known)
        key = key_of(request)
        told = await asyncio.gather(
            *(
                self._told(request, each, _id(request, key, *attempt.split(), place))
                for place, each in enumerate(asked)
            )
        )
        if key is not None and any(_is_other(each) for each in told):
            raise reused(key)
        last = max(
            (each for each in told if isinstance(each, Outcome) and each.positions),
            key=lambda outcome: outcome.positions or (0, 0),
            default=None,
        )
        if last is None:
            return told, {}
        headers = await self._headers(last)
        headers.pop("ETag", None)
        return told, headers

    async def _told(self, request: Request, asked: Asked, command: str) -> Outcome | Refusal:
        try:
            said = self._said(request, asked, command)
            return await self._client.ask(**said, timeout=self._wait_seconds)
        except BusError as error:
            return await self._silence(error, command)

    async def _silence(self, error: BusError, command: str) -> Refusal:
        """Return what to say of a command that nothing was heard of."""
        status_url = f"{COMMANDS}/{command}"
        if isinstance(error, OutcomeTimeout) and await self._broker.answers():
            return NoOutcome(
                f"No outcome within {error.seconds:g} s; ask {status_url} for it.",
                command=command,
                status_url=status_url,
            )
        _log.warning("Kafka did not take a command", command=command, error=str(error))
        return KafkaAway(
            f"Kafka does not answer; {status_url} will say what became of the command.",
            command=command,
            status_url=status_url,
        )

    def _said(self, request: Request, asked: Asked, id: str) -> dict[str, Any]:
        trace = request.headers.get("traceparent")
        if asked.type.partition(".")[0] in _GUARDED:
            require(request.scope, "admin")
        return {
            "type": asked.type,
            "body": asked.body,
            "subject": asked.subject,
            "id": id,
            "expected": asked.expected,
            "dataschema": asked.dataschema,
            "actor": bearer_of(request.scope).actor,
            "correlation": request.scope["request_id"],
            "traceparent": trace if trace and _TRACE.fullmatch(trace) else None,
        }

    async def _headers(self, outcome: Outcome) -> dict[str, str]:
        """Wait until the entity's own read model shows it; return what to say of that."""
        headers: dict[str, str] = {}
        if outcome.version:
            headers["ETag"] = await self._tag(outcome.version, outcome.stream)
        if outcome.positions is None or outcome.stream is None:
            return headers
        if not await self._is_visible(kind_of(outcome.stream), outcome.positions[1], headers):
            metrics.behind.inc()
            headers |= BEHIND
        return headers

    async def _tag(self, version: Version, stream: Stream | None) -> str:
        """Return the tag that the entity's own read model gives this version, if it has one."""
        model = self._own.get(kind_of(stream)) if stream else None
        if model is None:
            return f'"{version}"'
        with suppress(StoreError):
            epoch = (await self._epoch.token(0)).partition(":")[0]
            return tag_of(version, epoch, self._read_models.mark(model))
        return f'"{version}"'

    async def _is_visible(self, kind: str, last: Position, headers: dict[str, str]) -> bool:
        """Wait until the read model of *kind* shows *last*, whose token goes into *headers*."""
        try:
            headers[POSITION] = await self._epoch.token(last)
            model = self._own.get(kind)
            return model is None or await self._read_models.wait(model, last, self._visible_seconds)
        except StoreError as error:
            _log.warning("a write cannot be seen", position=last, error=str(error))
            return False

    async def _whole(self, outcome: Outcome) -> Outcome:
        """Return *outcome* with its entity, which is left out on Kafka when it is large."""
        with suppress(StoreError):
            if (verdict := await self._reader.verdict(outcome.command)) is not None:
                return await outcome_of(self._reader, self._registry, verdict)
        return outcome


def _id(request: Request, key: str | None, *place: object) -> str:
    """Return the id of a command: under an idempotency key the same each time, for each actor."""
    return ulid.new() if key is None else command_of(bearer_of(request.scope).actor, key, *place)


def expected_by(request: Request) -> int | None:
    """Return the version that `If-Match` names; raises WrongVersion if it is none of ours."""
    said = request.headers.get("if-match")
    if said is None or said == "*":
        return None
    if (version := version_in(said)) is None:
        raise WrongVersion(f'If-Match: {said} is no ETag of ours, such as "4".')
    return version


def _is_other(told: Outcome | Refusal) -> bool:
    return isinstance(told, Outcome) and is_reused(told.problem)


def _accepted(id: str) -> Response:
    return Response(
        _encode({"command": id, "outcome": "pending"}),
        status_code=202,
        headers={"Location": f"{COMMANDS}/{id}", "Preference-Applied": "respond-async"},
        media_type="application/json",
    )
