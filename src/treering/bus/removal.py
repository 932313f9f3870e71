"""A namespace on Kafka: what it has there, who uses it, and its end."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, cast

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import DeleteGroupsRequest

from treering.bus.topics import Topics, administer
from treering.errors import BusError

_GONE_SECONDS = 30.0
_NO_TOPIC = 3
_NO_GROUP = 69
_DEAD = "Dead"
"""The state of a group that is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnKafka:
    """What a namespace has on Kafka."""

    topics: Sequence[str]
    groups: Sequence[str]
    members: Sequence[str]
    """Who takes part in a group, each in words."""
    others: Sequence[str]
    """Topics that are called as if they were the namespace's, and that no service makes."""


async def on_kafka(kafka: str, topics: Topics) -> OnKafka:
    """Return what *topics*' namespace has on Kafka; raises BusError if that can not be had."""

    async def look(admin: AIOKafkaAdminClient) -> OnKafka:
        named = sorted(
            name for name in await admin.list_topics() if name.startswith(f"{topics.namespace}.")
        )
        state, members = await _group(admin, topics.group)
        return OnKafka(
            topics=[name for name in named if topics.holds(name)],
            groups=[] if state == _DEAD else [topics.group],
            members=members,
            others=[name for name in named if not topics.holds(name)],
        )

    return await administer(kafka, look)


async def remove(kafka: str, found: OnKafka) -> None:
    """Delete the groups and the topics *found*, and return when they are gone.

    Raises BusError when Kafka does not delete one, such as a group that has members.
    """

    async def delete(admin: AIOKafkaAdminClient) -> None:
        for group in found.groups:
            await _delete_group(admin, group)
        if found.topics:
            response = cast("Any", await admin.delete_topics([*found.topics]))
            for name, code in response.topic_error_codes:
                _check(f"topic {name!r}", code, _NO_TOPIC)
            await _until_gone(admin, found.topics)

    await administer(kafka, delete)


async def _group(admin: AIOKafkaAdminClient, name: str) -> tuple[str, list[str]]:
    """Return the state of a group, and its members in words.

    Groups are not listed to find it: a coordinator that has just started lists none.
    """
    (response,) = cast("Any", await admin.describe_consumer_groups([name]))
    ((code, _, state, _, _, members, *_),) = response.groups
    if code not in (0, _NO_GROUP):
        raise for_code(code)(f"The group {name!r} can not be had")
    said = [
        f"{client} at {host.removeprefix('/')}, a member of {name}"
        for _, client, host, *_ in members
    ]
    return (_DEAD if code else state), said


async def _delete_group(admin: AIOKafkaAdminClient, group: str) -> None:
    node = await admin.find_coordinator(group)
    asking = cast("Any", admin)  # aiokafka's client has no word of its own for it
    response = await asking._send_request(DeleteGroupsRequest([group]), node)  # noqa: SLF001
    for name, code in response.results:
        _check(f"group {name!r}", code, _NO_GROUP)


async def _until_gone(admin: AIOKafkaAdminClient, names: Sequence[str]) -> None:
    deadline = monotonic() + _GONE_SECONDS
    while left := {*names} & {*await admin.list_topics()}:
        if monotonic() > deadline:
            raise BusError(f"Kafka has not deleted {', '.join(sorted(left))} yet; look again.")
        await asyncio.sleep(0.02)


def _check(what: str, code: int, gone: int) -> None:
    """Raise BusError unless it was deleted, or was not there."""
    if code not in (0, gone):
        raise BusError(f"Kafka did not delete {what}: {for_code(code).__name__}.")
