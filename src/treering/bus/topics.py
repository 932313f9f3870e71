"""The topics of a namespace: their names, how they are made, and how many partitions they have.

Topics are made by us, never by a producer. The number of partitions is set once, when a topic is
made; a running process keeps the number that it read when it started.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any, cast

import stamina
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaError,
    NodeNotReadyError,
    NotCoordinatorForGroupError,
    for_code,
)

from treering.bus.kafka import LARGEST_LETTER, LARGEST_RECORD
from treering.errors import BusError

VERDICTS_KEPT = timedelta(days=30)
"""How long a command's id is remembered; commands must not be kept for longer."""
_DAY = timedelta(days=1)
_UNKNOWN = 3
_EXISTS = 36
_READY_SECONDS = 30.0
_SEGMENT = 16 * 1024 * 1024
_NOT_YET = (
    NodeNotReadyError,
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
    AttributeError,
)
"""How the driver says that a broker is starting."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of a namespace's topics."""

    namespace: str

    @property
    def commands(self) -> str:
        return f"{self.namespace}.commands"

    @property
    def outcomes(self) -> str:
        return f"{self.namespace}.outcomes"

    @property
    def dead(self) -> str:
        return f"{self.namespace}.dead"

    @property
    def relay(self) -> str:
        return f"{self.namespace}.relay"

    @property
    def group(self) -> str:
        """The consumer group of the handlers."""
        return f"{self.namespace}.handler"

    def events(self, kind: str) -> str:
        return f"{self.namespace}.events.{kind}"

    def holds(self, name: str) -> bool:
        """Say whether *name* is a topic of this namespace, of whatever kinds its service has."""
        return name in self.all(()) or name.startswith(self.events(""))

    def all(self, kinds: Iterable[str]) -> Sequence[str]:
        """Return every topic of a service with these kinds."""
        own = [self.commands, self.outcomes, self.dead, self.relay]
        return [*own, *(self.events(kind) for kind in kinds)]


async def create_topics(
    kafka: str,
    topics: Topics,
    kinds: Sequence[str],
    *,
    partitions: int,
    replication: int | None = None,
    events_bytes: int | None = None,
) -> None:
    """Make the topics that are not there yet, and return when they can be written to.

    Without *replication* the cluster says it. *events_bytes* bounds each events topic, for a
    laptop. Raises BusError if the commands topic is one that we could not keep our promises on.
    """
    settings = {
        topics.commands: _settings(7 * _DAY, replication, {
            "message.timestamp.type": "LogAppendTime",
            "retention.bytes": "-1",
        }),
        topics.outcomes: _settings(_DAY, replication, {}),
        topics.dead: _settings(30 * _DAY, replication, {
            "message.timestamp.type": "LogAppendTime",
            "max.message.bytes": str(LARGEST_LETTER),
        }),
        topics.relay: _settings(None, replication, {
            "cleanup.policy": "compact",
            "min.cleanable.dirty.ratio": "0.1",
            "segment.bytes": str(_SEGMENT),
            "segment.ms": "3600000",
        }),
    }  # fmt: skip
    bound = {} if events_bytes is None else _bounded(events_bytes // partitions)
    for kind in kinds:
        settings[topics.events(kind)] = _settings(30 * _DAY, replication, bound)
    wanted = [
        NewTopic(
            name,
            1 if name == topics.relay else partitions,
            -1 if replication is None else replication,
            replica_assignments=None if replication else {},
            topic_configs=said,
        )
        for name, said in settings.items()
    ]

    async def make(admin: AIOKafkaAdminClient) -> None:
        there = await _described(admin, settings)
        if missing := [each for each in wanted if each.name not in there]:
            await _create(admin, missing)
        await _await_leaders(admin, settings)
        await _check_commands(admin, topics.commands)

    await administer(kafka, make)


async def partition_counts(kafka: str, names: Sequence[str]) -> Mapping[str, int]:
    """Return how many partitions each topic has; raises BusError if one is not there."""

    async def count(admin: AIOKafkaAdminClient) -> Mapping[str, int]:
        described = await _described(admin, names)
        return {name: len(each["partitions"]) for name, each in described.items()}

    found = await administer(kafka, count)
    if missing := set(names) - found.keys():
        raise BusError(f"Kafka has no topic {', '.join(sorted(missing))}: start the service once.")
    return found


class _NotReady(BusError):
    """A broker answers, but nobody leads yet: it is starting, or was away for a moment."""


def _settings(
    kept: timedelta | None, replication: int | None, further: Mapping[str, str]
) -> dict[str, str]:
    settings = {"max.message.bytes": str(LARGEST_RECORD), "compression.type": "producer"}
    if kept is not None:
        settings |= {
            "cleanup.policy": "delete",
            "retention.ms": str(int(kept.total_seconds() * 1000)),
        }
    if replication is not None:
        settings["min.insync.replicas"] = str(max(1, replication - 1))
    return settings | {**further}


def _bounded(size: int) -> dict[str, str]:
    """Return what keeps a partition below about *size* bytes."""
    segment = max(1024 * 1024, min(_SEGMENT, size // 4))
    return {"retention.bytes": str(size), "segment.bytes": str(segment)}


async def administer[T](
    kafka: str, ask: Callable[[AIOKafkaAdminClient], Coroutine[Any, Any, T]]
) -> T:
    """Return what *ask* returns, trying again while Kafka is not ready; raises BusError."""
    async for attempt in stamina.retry_context(
        on=_NotReady, timeout=_READY_SECONDS, attempts=None, wait_initial=0.05, wait_max=1
    ):
        with attempt:
            return await _asked(kafka, ask)
    raise BusError(f"Kafka at {kafka} was not reached.")


async def _asked[T](kafka: str, ask: Callable[[AIOKafkaAdminClient], Coroutine[Any, Any, T]]) -> T:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    try:
        await admin.start()
        return await ask(admin)
    except _NOT_YET as error:
        # aiokafka trips over metadata without a controller
        raise _NotReady(f"Kafka at {kafka} is not ready: {error}.") from error
    except (KafkaError, OSError) as error:
        raise BusError(f"Kafka at {kafka} did not answer: {error}.") from error
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, wanted: list[NewTopic]) -> None:
    response = cast("Any", await admin.create_topics(wanted))
    for name, code, *detail in response.topic_errors:
        if code not in (0, _EXISTS):
            why = f"{for_code(code).__name__}, {' '.join(map(str, detail))}"
            kind = _NotReady if "fenced" in why or for_code(code).retriable else BusError
            raise kind(f"Kafka did not make topic {name!r}: {why}.")


async def _described(admin: AIOKafkaAdminClient, names: Iterable[str]) -> Mapping[str, Any]:
    """Return what Kafka says of those topics that are there."""
    described = await admin.describe_topics(list(names))
    return {each["topic"]: each for each in described if each["error_code"] != _UNKNOWN}


async def _await_leaders(admin: AIOKafkaAdminClient, names: Iterable[str]) -> None:
    """Return when every partition of every topic has a leader."""
    deadline = monotonic() + _READY_SECONDS
    while missing := set(names) - {
        name
        for name, each in (await _described(admin, names)).items()
        if all(part["leader"] >= 0 and part["error_code"] == 0 for part in each["partitions"])
    }:
        if monotonic() > deadline:
            raise BusError(f"Topics without a leader: {', '.join(sorted(missing))}.")
        await asyncio.sleep(0.02)


async def _check_commands(admin: AIOKafkaAdminClient, name: str) -> None:
    """Refuse a topic on which `now` could be forged, or an id outlive its verdict."""
    found = await _configuration(admin, name)
    if found.get("message.timestamp.type") != "LogAppendTime":
        raise BusError(f"Topic {name!r} needs message.timestamp.type=LogAppendTime; set it.")
    kept = int(found.get("retention.ms", "-1"))
    if not 0 < kept < VERDICTS_KEPT.total_seconds() * 1000:
        raise BusError(
            f"Topic {name!r} keeps commands for as long as their verdicts are kept or longer; "
            f"set retention.ms below {VERDICTS_KEPT.days} days."
        )


async def _configuration(admin: AIOKafkaAdminClient, name: str) -> Mapping[str, str]:
    resource = ConfigResource(ConfigResourceType.TOPIC, name)
    found: dict[str, str] = {}
    for response in cast("Any", await admin.describe_configs([resource])):
        for _, _, _, _, entries in response.resources:
            found |= {entry[0]: entry[1] for entry in entries}
    return found
