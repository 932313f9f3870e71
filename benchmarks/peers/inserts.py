"""Raw inserts by asyncpg into a table of the shape of `events`, with the same indexes.

Arguments: URL, schema, connections, and the event's bytes. Each line "SECONDS" is answered with
events a second, in inserts of 1,000 rows; half of them belong to streams that exist.
"""

import asyncio
import sys
import time
from datetime import UTC, datetime
from itertools import count
from uuid import uuid4

import asyncpg
import uvloop

ROWS = 1000
STREAM = 100
INSERT = """
insert into raw_events (position, recorded_at, time, id, version, stream, type, body, tenant, actor,
                        correlation, causation, traceparent)
select * from unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::uuid[], $5::int[],
                     $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
                     $12::text[], $13::text[])
"""
places = count()


async def insert(connection: asyncpg.Connection, until: float, body: str) -> int:
    """Insert until it is time; return how many events."""
    done = 0
    while time.monotonic() < until:
        streams = [f"dataset/{uuid4()}" for _ in range(ROWS // STREAM)]
        for after in (0, STREAM):
            await connection.execute(INSERT, *columns(streams, after, body))
            done += ROWS
    return done


def columns(streams: list[str], after: int, body: str) -> list[list[object]]:
    """Return the columns of 1,000 rows; they follow version *after* of their streams."""
    first = next(places) * ROWS
    now = datetime.now(UTC)
    command = str(uuid4())
    return [
        [*range(first, first + ROWS)],
        [now] * ROWS,
        [now] * ROWS,
        [uuid4() for _ in range(ROWS)],
        [*range(after + 1, after + STREAM + 1)] * len(streams),
        [stream for stream in streams for _ in range(STREAM)],
        ["dataset.updated.v1"] * ROWS,
        [body] * ROWS,
        ["default"] * ROWS,
        ["benchmark"] * ROWS,
        [command] * ROWS,
        [command] * ROWS,
        [None] * ROWS,
    ]


async def main(url: str, schema: str, size: str, body: str) -> None:
    """Answer each line."""
    settings = {"search_path": schema}
    connections = [await asyncpg.connect(url, server_settings=settings) for _ in range(int(size))]
    await connections[0].execute(
        "drop table if exists raw_events; create table raw_events (like events including all)"
    )
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        began = time.monotonic()
        until = began + float(line)
        done = await asyncio.gather(*(insert(each, until, body) for each in connections))
        print(sum(done) / (time.monotonic() - began), flush=True)


uvloop.run(main(*sys.argv[1:5]))
