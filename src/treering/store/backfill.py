"""Brings what streams hold, keys and references, in line with the rules that are declared now.

Most is worked out beside a service that runs; the head is held for what changed meanwhile, and for
writing it down. All of it is done, or nothing.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from time import monotonic

import asyncpg

from treering.errors import RulesBroken
from treering.message import Position
from treering.registry import Registry
from treering.rulebook import Words, bound, changed_kinds, digest_of
from treering.sql import statement
from treering.store.connecting import connect, quoted, schema_of, translated
from treering.store.lock import alone
from treering.store.rules import stored_rules
from treering.store.staging import Staging

_FEW = 1000
"""Events that may be left to look at while the head is held."""
_LOOKS = 3
"""Attempts to find that nothing breaks a rule, beside others who write."""
_ROUNDS = 20
"""Attempts to come so near to a head that moves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChange:
    """What was done, or would be."""

    new: Sequence[str] = ()
    gone: Sequence[str] = ()
    streams: int = 0
    """How many were folded."""
    seconds: float = 0
    """For how long appends had to wait."""

    def __bool__(self) -> bool:
        """Whether any rule changes."""
        return bool(self.new or self.gone)


async def upgrade_rules(url: str, namespace: str, registry: Registry) -> RuleChange:
    """Store the rules of *registry* and what follows from them, as the owner; one at a time.

    Raises RulesBroken, with what stands in the way, if streams break a rule: nothing is changed.
    """

    async def work() -> RuleChange:
        async with _connected(url, namespace) as connection:
            return await _upgrade(connection, registry)

    return await alone(url, f"rules of {namespace}", work)


async def rule_change(url: str, namespace: str, registry: Registry) -> RuleChange:
    """Say which rules are new and gone, without a look at what is stored."""
    async with _connected(url, namespace) as connection:
        _, stored = await _there(connection)
        return _change(stored, registry)


async def preview_rules(url: str, namespace: str, registry: Registry) -> RuleChange:
    """Say what `upgrade_rules` would do, and change nothing.

    The store may be of an older revision, or not be there at all.
    """
    async with _connected(url, namespace) as connection:
        is_store, stored = await _there(connection)
        change = _change(stored, registry)
        if not (change and is_store):
            return change
        staging, _ = await _staged(connection, registry, stored)
        return replace(change, streams=staging.streams)


async def _upgrade(connection: asyncpg.Connection, registry: Registry) -> RuleChange:
    stored = await stored_rules(connection.fetch)
    if not (change := _change(stored, registry)):
        return change
    staging, position = await _staged(connection, registry, stored)
    async with connection.transaction():
        await staging.begin_to_write()
        position = await _caught_up(connection, staging, position)
        await connection.execute(statement("rule_hold"))
        began = monotonic()
        await staging.fill_again(await staging.changed(position))
        await staging.require_unbroken([*staging.again])
        await staging.write()
        digest = digest_of(registry.rulebook.words)
        await connection.execute(statement("rule_store"), change.new, change.gone, digest)
    return replace(change, streams=staging.streams, seconds=monotonic() - began)


async def _staged(
    connection: asyncpg.Connection, registry: Registry, stored: Words
) -> tuple[Staging, Position]:
    """Return what streams will hold, and since when what they did is not in it."""
    kinds, held = set(changed_kinds(stored, registry.rulebook.words)), bound(stored)
    if not stored:
        held = frozenset(row["kind"] for row in await connection.fetch(statement("rule_kinds")))
        kinds |= held
    staging = Staging(connection, registry, kinds, held)
    position = await _position(connection)
    await staging.fill()
    position = await _unbroken(connection, staging, position)
    return staging, position


async def _unbroken(
    connection: asyncpg.Connection, staging: Staging, position: Position
) -> Position:
    """Follow what has happened since *position* until no rule is broken; return up to where.

    What breaks one may have been mended while it was looked for; it counts if it stays so.
    """
    looks = 0
    while True:
        looks += 1
        position = await _caught_up(connection, staging, position)
        try:
            await staging.require_unbroken()
        except RulesBroken:
            head = await _position(connection)
            if head == position or looks > _LOOKS:
                raise
            await staging.fill_again(await staging.changed(position))
            position = head
        else:
            return position


async def _caught_up(
    connection: asyncpg.Connection, staging: Staging, position: Position
) -> Position:
    """Follow what has happened since *position*; return up to where, which is near the head."""
    for _ in range(_ROUNDS):
        head = await _position(connection)
        if head - position <= _FEW:
            break
        await staging.fill_again(await staging.changed(position))
        position = head
    return position


async def _there(connection: asyncpg.Connection) -> tuple[bool, Words]:
    """Return whether there is a store, and the rules that it keeps."""
    (there,) = await connection.fetch(statement("rule_tables"))
    return there["store"], await stored_rules(connection.fetch) if there["rules"] else frozenset()


async def _position(connection: asyncpg.Connection) -> Position:
    return await connection.fetchval("select position from head")


def _change(stored: Words, registry: Registry) -> RuleChange:
    words = registry.rulebook.words
    return RuleChange(new=sorted(words - stored), gone=sorted(stored - words))


@asynccontextmanager
async def _connected(url: str, namespace: str) -> AsyncGenerator[asyncpg.Connection]:
    settings = {
        "search_path": quoted(schema_of(namespace)),
        "application_name": "treering upgrade",
        "lock_timeout": "10s",
        "statement_timeout": "0",
        "client_connection_check_interval": "1s",
        "idle_in_transaction_session_timeout": "10s",
    }
    connection = await connect(url, settings=settings)
    try:
        with translated():
            yield connection
    finally:
        connection.terminate()
