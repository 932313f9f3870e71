"""Moves committed offsets that lie beyond a log's end back to that end.

One broker does not fsync: a power cut may shorten a log but keep the offsets committed for it.
What is produced next would then take offsets that count as handled, and be skipped in silence.
The ends are those from before the start, so it does no harm when somebody produces meanwhile.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import DescribeGroupsRequest, ListGroupsRequest
from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest
from aiokafka.protocol.group import LeaveGroupRequest
from aiokafka.protocol.offset import OffsetRequest

from treering.embedded.logs import Partition
from treering.errors import ServerError

SECONDS = 60.0
LATEST = -1
NO_GENERATION, NO_MEMBER, DEFAULT_RETENTION = -1, "", -1
UNKNOWN_TOPIC = 3
OFFSETS_TOPIC = "__consumer_offsets"
OFFSETS_PARTITIONS = 4


class NotYet(Exception):
    """The broker asks for patience."""


async def clamp(address: str, ends: Mapping[Partition, int]) -> None:
    """Move every group's offsets that lie beyond *ends*; members of such a group have to rejoin."""
    if not any(partition.topic == OFFSETS_TOPIC for partition in ends):
        return
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            client = AIOKafkaClient(bootstrap_servers=address)
            try:
                await client.bootstrap()
                await _Groups(client).move(ends)
            finally:
                await client.close()
        except (NotYet, KafkaError) as error:
            if time.monotonic() > deadline:
                raise ServerError(
                    f"Kafka's offsets could not be checked after its unclean stop: {error}."
                ) from error
            await asyncio.sleep(0.05)
        else:
            return


class _Groups:
    """The consumer groups of a broker that is alone."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._node = client.get_random_node()

    async def move(self, ends: Mapping[Partition, int]) -> None:
        await self._are_loaded()
        listed = await self._send(ListGroupsRequest())
        _check(listed.error_code)
        for group, _ in listed.groups:
            committed = await self._committed(group)
            beyond = [
                partition
                for partition, offset in committed.items()
                if offset > ends.get(partition, 0)
            ]
            if beyond:
                now = await self._ends(beyond)
                to = {which: min(end, ends.get(which, 0)) for which, end in now.items()}
                await self._dismiss(group)
                await self._commit(group, to)

    async def _are_loaded(self) -> None:
        """Ask for a group of each partition: a list of groups leaves out those not loaded yet.

        A group is kept in the partition of its name's hash, which for one character is its code.
        """
        for partition in range(OFFSETS_PARTITIONS):
            name = chr(ord("0") + partition)
            _check((await self._send(OffsetFetchRequest(name, None))).error_code)

    async def _committed(self, group: str) -> Mapping[Partition, int]:
        answer = await self._send(OffsetFetchRequest(group, None))
        _check(answer.error_code)
        return {
            Partition(topic, number): offset
            for topic, partitions in answer.topics
            for number, offset, *_ in partitions
        }

    async def _ends(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """Return the ends as the broker sees them, without topics that are no more."""
        wanted = _by_topic(dict.fromkeys(partitions, (LATEST,)))
        answer = await self._send(OffsetRequest(-1, 0, wanted))
        found: dict[Partition, int] = {}
        for topic, listed in answer.topics:
            for number, code, _, offset in listed:
                if code != UNKNOWN_TOPIC:
                    _check(code)
                    found[Partition(topic, number)] = offset
        return found

    async def _dismiss(self, group: str) -> None:
        """Let all members leave: those of a broker that has just started are from before."""
        described = await self._send(DescribeGroupsRequest([group]))
        members = [member for listed in described.groups for member in listed[5]]
        for member, *_ in members:
            await self._send(LeaveGroupRequest(group, member))

    async def _commit(self, group: str, offsets: Mapping[Partition, int]) -> None:
        topics = _by_topic({partition: (offset, "") for partition, offset in offsets.items()})
        answer = await self._send(
            OffsetCommitRequest(group, NO_GENERATION, NO_MEMBER, DEFAULT_RETENTION, topics)
        )
        for _, partitions in answer.topics:
            for _, code in partitions:
                _check(code)

    async def _send(self, request: Any) -> Any:
        return await self._client.send(self._node, request)


def _check(code: int) -> None:
    if code:
        raise NotYet(f"Kafka answered with code {code}")


def _by_topic[T: tuple[Any, ...]](values: Mapping[Partition, T]) -> list[tuple[str, list[Any]]]:
    topics: defaultdict[str, list[Any]] = defaultdict(list)
    for partition, value in values.items():
        topics[partition.topic].append((partition.number, *value))
    return list(topics.items())
