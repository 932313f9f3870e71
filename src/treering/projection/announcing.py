"""Which versions of read models somebody needs, said by locks: they end with who said it.

A projector holds the lock of a version that it folds; projectors and gateways share one for each
version that they declare. That takes no right to write.
"""

import os
import socket
from collections.abc import Iterable, Mapping, Sequence

import asyncpg

from treering.projection.build import Build
from treering.projection.declaration import Projection
from treering.sql import statement

_LONGEST = 63
_OURS = "treering "


def lock_of(schema: str, name: str, version: str) -> str:
    """Return the name of the lock that whoever folds a version holds."""
    return f"{schema} {name} {version}"


def rebuild_lock(schema: str, name: str) -> str:
    """Return the name of the lock that whoever rebuilds a read model by hand holds."""
    return f"{schema} {name} rebuild"


def application(role: str) -> Mapping[str, str]:
    """Return the settings of a connection by which others see who announces."""
    said = f"{_OURS}{role}, process {os.getpid()} on {socket.gethostname()}"
    return {"application_name": said[:_LONGEST]}


async def announce(
    connection: asyncpg.Connection, schema: str, versions: Mapping[str, str]
) -> None:
    """Say that *versions*, by read model, are declared here, for as long as *connection* lives."""
    words = [_word(schema, name, version) for name, version in versions.items()]
    await connection.fetch(statement("projection_announce"), words)


async def folded(connection: asyncpg.Connection, schema: str, builds: Iterable[Build]) -> set[int]:
    """Return those of *builds*, by number, whose version somebody folds."""
    locks = {lock_of(schema, each.name, each.version): each for each in builds}
    held = {row["name"] for row in await _holders(connection, [*locks])}
    return {each.build for name, each in locks.items() if name in held}


async def is_folded(connection: asyncpg.Connection, schema: str, projection: Projection) -> bool:
    """Say whether a projector folds the version that is declared here, or waits to."""
    name, version = projection.name, projection.version
    return bool(await _holders(connection, [lock_of(schema, name, version)]))


async def needed(
    connection: asyncpg.Connection, schema: str, builds: Sequence[Build]
) -> Mapping[tuple[str, int], Sequence[str]]:
    """Return who needs each of *builds*, by their ids."""
    locks: dict[str, Build] = {}
    for each in builds:
        for version in (each.version, *each.also):
            locks[lock_of(schema, each.name, version)] = each
            locks[_word(schema, each.name, version)] = each
    found: dict[tuple[str, int], dict[str, None]] = {each.id: {} for each in builds}
    for row in await _holders(connection, [*locks]):
        found[locks[row["name"]].id][str(row["who"]).removeprefix(_OURS)] = None
    return {each: [*who] for each, who in found.items()}


async def _holders(
    connection: asyncpg.Connection, locks: Sequence[str]
) -> Sequence[asyncpg.Record]:
    return await connection.fetch(statement("projection_holders"), locks)


def _word(schema: str, name: str, version: str) -> str:
    return f"{lock_of(schema, name, version)} declared"
