"""The kit's client: publishes commands, signed, and awaits their outcomes."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypedDict, Unpack

import msgspec
from aiokafka.errors import KafkaError

from treering import ulid
from treering.bus.envelope import LARGEST_BODY, NO_JSON
from treering.bus.kafka import Delivery, Headers, Producer, Record, new_producer, stopped
from treering.bus.listener import Listener
from treering.bus.outcomes import asked_by, decode, outcome_id
from treering.bus.partitions import partition_of
from treering.bus.signature import fingerprint, signature
from treering.bus.topics import Topics, partition_counts
from treering.errors import BusError
from treering.message import Outcome, Stream, Version
from treering.schema import SchemaRegistry

_encode = msgspec.json.Encoder().encode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class OutcomeTimeout(BusError):
    """No outcome came in time; the command may still be decided."""

    def __init__(self, command: str, seconds: float, *, is_taken: bool = False) -> None:
        super().__init__(
            f"No outcome of command {command} came within {seconds:g} s, but it may still be "
            f"decided: ask GET /api/v1/commands/{command} or `treering commands show {command}`."
        )
        self.command = command
        self.seconds = seconds
        self.is_taken = is_taken
        """Whether Kafka has acknowledged the command: then it will be decided."""


class Words(TypedDict, total=False):
    """What can be said beside a command's type and body."""

    subject: Stream | None
    """The stream; without it a create makes one."""
    id: str | None
    """The command's id: saying it again is safe. A new one unless given."""
    expected: Version | None
    """Decide only if the stream stands there."""
    actor: str | None
    """Who says it; the client's own unless given."""
    correlation: str | None
    causation: str | None
    traceparent: str | None
    dataschema: str | None
    """The schema revision that expresses it; the lowest that does unless given."""


class _Letter(msgspec.Struct, frozen=True):
    """A command ready to be sent."""

    id: str
    key: str
    body: bytes
    headers: Headers
    answer: bytes
    """The id that its outcome will have."""


class Client:
    """Speaks to the handlers of one namespace; many tasks may use it at once.

    With a *secret* it signs, so that *actor* counts; with *schemas* a command says the revision
    that expresses it, so that an older handler leaves it to a newer one. It listens before it
    publishes, so that no outcome is missed, on a partition of its own choice, which it may share
    with others.
    """

    def __init__(
        self,
        kafka: str,
        *,
        namespace: str,
        secret: bytes | None = None,
        source: str,
        actor: str = "kafka",
        schemas: SchemaRegistry | None = None,
    ) -> None:
        self._kafka = kafka
        self._schemas = schemas or SchemaRegistry()
        self._topics = Topics(namespace)
        self._secret = secret
        self._source = source.encode()
        self._actor = actor
        self._reply_to = b""
        self._partitions = 0
        self._producer: Producer | None = None
        self._listener: Listener | None = None
        self._waiting: dict[bytes, list[asyncio.Future[Outcome]]] = {}

    async def start(self) -> None:
        """Begin to listen; raises BusError if Kafka is not there, or the topics are not."""
        outcomes = self._topics.outcomes
        counts = await partition_counts(self._kafka, [self._topics.commands, outcomes])
        self._partitions = counts[self._topics.commands]
        mine = secrets.randbelow(counts[outcomes])
        self._reply_to = str(mine).encode()
        self._listener = Listener(self._kafka, outcomes, mine, self._arrived)
        await self._listener.start()
        producer = new_producer(self._kafka)
        try:
            await producer.start()
        except KafkaError as error:
            await self.stop()
            raise BusError(f"Kafka at {self._kafka} was not reached: {error}.") from error
        self._producer = producer

    async def stop(self) -> None:
        """Send what was published, and listen no longer; who still waits gets a BusError."""
        for futures in self._waiting.values():
            for future in futures:
                _fail(future, BusError("The client was stopped."))
        if self._producer is not None:
            await stopped(self._producer)
        if self._listener is not None:
            await self._listener.stop()
        self._producer = self._listener = None

    @property
    def waiting(self) -> int:
        """How many outcomes are waited for."""
        return sum(len(futures) for futures in self._waiting.values())

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.stop()

    async def publish(
        self, type: str, body: bytes | Mapping[str, Any], **words: Unpack[Words]
    ) -> str:
        """Publish a command and return its id once Kafka has acknowledged it.

        Raises BusError if Kafka does not: then it may have been taken or not, and publishing it
        again under the same id is safe.
        """
        letter = self._letter(type, body, words)
        try:
            await (await self._send(letter))
        except KafkaError as error:
            raise _unacknowledged(letter.id, error) from error
        return letter.id

    async def ask(
        self,
        type: str,
        body: bytes | Mapping[str, Any],
        *,
        timeout: float = 10,
        **words: Unpack[Words],
    ) -> Outcome:
        """Publish a command and return its outcome.

        Raises OutcomeTimeout if none comes within *timeout* seconds, BusError if Kafka does not
        take the command.
        """
        letter = self._letter(type, body, words)
        answer = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(letter.answer, [])
        waiting.append(answer)
        delivery: Delivery | None = None
        try:
            async with asyncio.timeout(timeout):
                delivery = await self._send(letter)
                delivery.add_done_callback(lambda done: _delivered(done, letter.id, answer))
                return await answer
        except TimeoutError:
            is_taken = delivery is not None and _is_acknowledged(delivery)
            raise OutcomeTimeout(letter.id, timeout, is_taken=is_taken) from None
        except KafkaError as error:
            raise _unacknowledged(letter.id, error) from error
        finally:
            waiting.remove(answer)
            if not waiting:
                self._waiting.pop(letter.answer, None)

    async def _send(self, letter: _Letter) -> Delivery:
        if self._producer is None:
            raise BusError("The client is not started.")
        return await self._producer.send(
            self._topics.commands,
            letter.body,
            letter.key.encode(),
            partition_of(letter.key, self._partitions),
            headers=letter.headers,
        )

    def _letter(self, type: str, body: bytes | Mapping[str, Any], words: Words) -> _Letter:
        raw = body if isinstance(body, bytes) else _encode(body)
        if len(raw) > LARGEST_BODY:
            raise BusError(f"The body has {len(raw)} bytes, {LARGEST_BODY} are allowed.")
        command = words.get("id") or ulid.new()
        subject, expected = words.get("subject"), words.get("expected")
        said = {
            "ce_type": type,
            "ce_subject": subject,
            "ce_expectedversion": None if expected is None else str(expected),
            "ce_dataschema": words.get("dataschema") or self._revision(type, raw),
            "ce_correlationid": words.get("correlation"),
            "ce_causationid": words.get("causation"),
            "traceparent": words.get("traceparent"),
        }
        headers = [(name, text.encode()) for name, text in said.items() if text]
        fixed = dict(headers)
        fields = [fixed.get(name, b"") for name in ("ce_type", "ce_subject", "ce_expectedversion")]
        key = command.encode()
        headers += self._fixed(key)
        if self._secret is not None:
            actor = (words.get("actor") or self._actor).encode()
            signed = signature(self._secret, [key, b"", actor, *fields, raw])
            headers += (("ce_actor", actor), ("ce_signature", signed))
        answer = outcome_id(command, fingerprint([*fields, raw]))
        return _Letter(command, subject or command, raw, headers, answer)

    def _revision(self, type: str, raw: bytes) -> str | None:
        """Return the lowest revision that expresses a body; None if every one does."""
        if (self._schemas.revision(type) or 1) == 1:
            return None
        try:
            fields: Mapping[str, object] = _fields.decode(raw)
        except NO_JSON:
            return None
        found = self._schemas.expressing(type, fields)
        return found.id if found and found.version > 1 else None

    def _fixed(self, command: bytes) -> Headers:
        return (
            ("ce_id", command),
            ("ce_specversion", b"1.0"),
            ("ce_source", self._source),
            ("reply-to", self._reply_to),
            ("content-type", b"application/json"),
        )

    def _arrived(self, records: Sequence[Record]) -> None:
        waiting = self._waiting
        for record in records:
            said = dict(record.headers).get("ce_id") or b""
            mine = waiting.get(asked_by(said))
            if mine and (outcome := _read(record)) is not None:
                for future in mine:
                    if not future.done():
                        future.set_result(outcome)


def _read(record: Record) -> Outcome | None:
    """Return the outcome; None if somebody has sent something else there."""
    try:
        return decode(record.value or b"")
    except NO_JSON:
        return None


def _is_acknowledged(delivery: Delivery) -> bool:
    return delivery.done() and not delivery.cancelled() and delivery.exception() is None


def _delivered(delivery: Delivery, command: str, answer: asyncio.Future[Outcome]) -> None:
    if not delivery.cancelled() and (error := delivery.exception()) is not None:
        _fail(answer, _unacknowledged(command, error))


def _fail(answer: asyncio.Future[Outcome], error: BusError) -> None:
    if not answer.done():
        answer.set_exception(error)


def _unacknowledged(command: str, error: BaseException) -> BusError:
    return BusError(
        f"Kafka did not acknowledge command {command}: {error or error.__class__.__name__}; "
        "sending it again under the same id is safe."
    )
